import type { Dispatcher } from 'undici';
import type { SendResult } from '../core/ports/sender.ts';
import type { AttemptError } from '../core/vocabulary.ts';
import { attemptErrorOf, isRefusedInformational, SendFailure } from './failure.ts';
import type { InFlight } from './in-flight.ts';

/** Of a response's body, kept for people to read. */
export const excerptBytesMax = 16 * 1_024;
const retryAfterCharactersMax = 100;

/** One POST: what undici reports of it, and the one result that is made of that. */
export class Attempt implements Dispatcher.DispatchHandler {
  /** By the sender's clock, the one that nobody sets. */
  readonly deadlineAt: number;
  readonly #inFlight: InFlight<Attempt>;
  readonly #place: number;
  readonly #resolve: (result: SendResult) => void;
  readonly #startedAt = performance.now();
  #controller: Dispatcher.DispatchController | null = null;
  #ended = false;
  #informational = false;
  #status: number | null = null;
  #retryAfter: string | null = null;
  #excerpt: Buffer | null = null;
  #excerptBytes = 0;

  /** Is in `inFlight` until it has called `resolve`. */
  constructor(deadlineAt: number, inFlight: InFlight<Attempt>, resolve: (result: SendResult) => void) {
    this.deadlineAt = deadlineAt;
    this.#inFlight = inFlight;
    this.#resolve = resolve;
    this.#place = inFlight.add(this);
  }

  /** Ends it wherever it is; what is still on the wire is cut, what has not been sent never will be. */
  end(reason: AttemptError): void {
    this.#end(reason);
    this.#controller?.abort(new SendFailure(reason));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // An attempt that ended while it waited for a connection must not be sent after all, nor may undici ever send one
    // twice: both would be requests without a log row. Throwing costs the request only; `abort` would cost the connection.
    if (this.#ended || this.#controller !== null) throw new SendFailure('connection_reset');
    this.#controller = controller;
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    // Or thousands of headers, each a view into the socket's buffer, would be kept until the body has ended.
    controller.rawHeaders = null;
    if (status < 200) {
      this.#informational = true;
      return;
    }
    this.#status = status;
    const value = headers['retry-after'];
    const retryAfter = Array.isArray(value) ? value[0] : value;
    if (retryAfter !== undefined) this.#retryAfter = retryAfter.slice(0, retryAfterCharactersMax);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const kept = chunk.subarray(0, excerptBytesMax - this.#excerptBytes);
    if (kept.length === 0) return;
    // Copies: a view would keep the socket's whole 64 KiB buffer alive. Most bodies are one short chunk; what drips gets
    // the full buffer at once, since growing by each byte would be quadratic.
    if (this.#excerpt === null) {
      this.#excerpt = Buffer.from(kept);
    } else {
      if (this.#excerpt.length < excerptBytesMax) {
        const whole = Buffer.alloc(excerptBytesMax);
        this.#excerpt.copy(whole);
        this.#excerpt = whole;
      }
      kept.copy(this.#excerpt, this.#excerptBytes);
    }
    this.#excerptBytes += kept.length;
  }

  onResponseEnd(): void {
    this.#end(null);
  }

  /** `_controller` is null where the request was never begun. */
  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    if (this.#informational || isRefusedInformational(error)) {
      const reason = attemptErrorOf(error);
      return this.#end(reason === 'connection_reset' ? 'http_1xx' : reason);
    }
    this.#end(attemptErrorOf(error));
  }

  #end(failure: AttemptError | null): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#inFlight.remove(this.#place);
    this.#resolve({
      responseCode: this.#status,
      error: this.#status === null ? failure : spoils(failure, this.#status) ? failure : null,
      durationMs: Math.round(performance.now() - this.#startedAt),
      retryAfter: this.#retryAfter,
      excerpt: this.#excerpt?.subarray(0, this.#excerptBytes) ?? null,
    });
  }
}

/**
 * Whether what went wrong inside the body outweighs the status. A status counts even when the body breaks off, as the
 * receiver has decided by then; but a success that goes on past the limits is not one, or an endless body would pay.
 */
function spoils(failure: AttemptError | null, status: number): boolean {
  return status < 300 && (failure === 'timeout' || failure === 'response_too_large');
}
