import type { Readable, Writable } from 'node:stream';
import {
  isJSONRPCNotification,
  isJSONRPCRequest,
  type JSONRPCMessage,
  ReadBuffer,
  serializeMessage,
  type Transport,
} from '@modelcontextprotocol/server';

/** How long requests that were read before stdin ended may still take to be answered. */
const drainMsMax = 5_000;

/**
 * The stdio transport of MCP: one JSON-RPC message a line. The SDK's own drops the requests in flight when stdin ends;
 * this one answers them first, since a script that pipes its requests in closes stdin right behind them.
 */
export class StdioTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;
  /** Resolves when the client is gone or the connection was closed. */
  readonly closed: Promise<void>;
  /** Resolves when the first request is answered. */
  readonly answered: Promise<void>;
  readonly #stdin: Readable;
  readonly #stdout: Writable;
  readonly #buffer = new ReadBuffer();
  /** Ids of requests that were read and not yet answered. */
  readonly #unanswered = new Set<string | number>();
  #state: 'open' | 'draining' | 'closed' = 'open';
  #drainTimer: NodeJS.Timeout | undefined;
  #resolveClosed: () => void = () => {};
  #resolveAnswered: () => void = () => {};

  constructor(stdin: Readable, stdout: Writable) {
    this.#stdin = stdin;
    this.#stdout = stdout;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    this.answered = new Promise((resolve) => {
      this.#resolveAnswered = resolve;
    });
  }

  async start(): Promise<void> {
    this.#stdout.on('error', this.#onStdoutError);
    this.#stdin.on('end', this.#drain).on('close', this.#drain).on('error', this.#drain).on('data', this.#onData);
    if (this.#stdin.readableEnded || this.#stdin.destroyed) setImmediate(this.#drain);
  }

  async send(message: JSONRPCMessage): Promise<void> {
    if (this.#state === 'closed') throw new Error('the client is gone');
    await new Promise<void>((resolve, reject) => {
      this.#stdout.write(serializeMessage(message), (error) => (error ? reject(error) : resolve()));
    });
    const isAnswer = 'result' in message || 'error' in message;
    if (isAnswer) this.#resolveAnswered();
    if (isAnswer && message.id !== undefined && message.id !== null) this.#settled(message.id);
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    clearTimeout(this.#drainTimer);
    this.#stdin.off('end', this.#drain).off('close', this.#drain).off('data', this.#onData);
    // Paused and not destroyed: the stream is the process's, and a paused one keeps no process alive.
    this.#stdin.pause();
    this.#buffer.clear();
    this.onclose?.();
    this.#resolveClosed();
  }

  readonly #onData = (chunk: Buffer): void => {
    try {
      this.#buffer.append(chunk);
    } catch (error) {
      this.#report(error);
      void this.close();
      return;
    }
    while (this.#readOne());
  };

  /** Answers whether there may be another message in the buffer. */
  #readOne(): boolean {
    try {
      const message = this.#buffer.readMessage();
      if (message === null) return false;
      this.#track(message);
      this.onmessage?.(message);
    } catch (error) {
      this.#report(error);
    }
    return true;
  }

  #track(message: JSONRPCMessage): void {
    // A subscription stream is answered when it ends, so waiting for it would be waiting for ourselves.
    if (isJSONRPCRequest(message) && message.method !== 'subscriptions/listen') this.#unanswered.add(message.id);
    if (!isJSONRPCNotification(message) || message.method !== 'notifications/cancelled') return;
    const id = message.params?.['requestId'];
    if (typeof id === 'string' || typeof id === 'number') this.#settled(id);
  }

  #settled(id: string | number): void {
    this.#unanswered.delete(id);
    if (this.#state === 'draining' && this.#unanswered.size === 0) void this.close();
  }

  readonly #drain = (): void => {
    if (this.#state !== 'open') return;
    this.#state = 'draining';
    if (this.#unanswered.size === 0) {
      void this.close();
      return;
    }
    this.#drainTimer = setTimeout(() => void this.close(), drainMsMax);
  };

  /** Stays attached after closing: a late write to a broken pipe would end the process with an uncaught error. */
  readonly #onStdoutError = (error: Error): void => {
    if (this.#state === 'closed') return;
    this.#report(error);
    void this.close();
  };

  #report(error: unknown): void {
    this.onerror?.(error instanceof Error ? error : new Error(String(error)));
  }
}
