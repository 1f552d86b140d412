import { Worker } from 'node:worker_threads';
import { PosthornError } from '../../core/errors.ts';
import type { HealthLimits } from '../../core/rules/health.ts';
import { storeError } from '../store-error.ts';
import type { WriterReply, WriterRequest } from './messages.ts';
import { startError } from './start-error.ts';

/** Whoever takes the requests of a writer, one after the other. */
export type Writing = Pick<WriterThread, 'request' | 'close'>;

/** The main thread's end of the writer's thread. */
export class WriterThread {
  readonly #worker: Worker;
  #waiting: { resolve(reply: WriterReply): void; reject(error: unknown): void }[] = [];
  #dead: Error | null = null;
  #onDeath: (error: Error) => void = () => {};

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.on('message', (reply: WriterReply) => this.#waiting.shift()?.resolve(reply));
    worker.on('error', (error) => this.#fail(error));
    worker.on('exit', () => this.#fail(new Error('the writer thread has ended')));
  }

  /**
   * Starts the thread. When the database cannot be opened, throws what whoever runs it can do about that. `onDeath` is called when it dies by itself, for want of
   * memory. No other is started then: nobody knows what it committed last, and leases that it took would be held for as
   * long as this process lives.
   */
  static async start(path: string, limits: HealthLimits, onDeath: (error: Error) => void): Promise<WriterThread> {
    const file = import.meta.url.endsWith('.ts') ? './writer.ts' : './writer.js';
    const thread = new WriterThread(new Worker(new URL(file, import.meta.url), { workerData: { path, limits } }));
    const ready = await thread.#next();
    if (ready.kind === 'failed') {
      await thread.#worker.terminate();
      throw startError(path, ready.error);
    }
    thread.#onDeath = onDeath;
    // Only calls under way keep the process alive.
    thread.#worker.unref();
    return thread;
  }

  /** Sends one request. Throws `store_unavailable` when the database is locked, full or away, or the thread has died. */
  async request(request: WriterRequest): Promise<WriterReply> {
    if (this.#dead !== null) throw died(this.#dead);
    if (this.#waiting.length === 0) this.#worker.ref();
    this.#worker.postMessage(request);
    const reply = await this.#next();
    if (this.#waiting.length === 0) this.#worker.unref();
    if (reply.kind === 'failed') throw storeError(reply.error);
    return reply;
  }

  async close(): Promise<void> {
    this.#onDeath = () => {};
    if (this.#dead !== null) return;
    await this.request({ kind: 'close' });
    await this.#worker.terminate();
  }

  #next(): Promise<WriterReply> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
    });
  }

  #fail(error: Error): void {
    if (this.#dead === null)
      this.#onDeath(new Error(`the thread that writes to the database has died: ${error.message}`));
    this.#dead ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(died(error));
  }
}

function died(cause: Error): PosthornError {
  const message = 'What writes to the database has died, and this process ends: whether it stored this is not known.';
  return new PosthornError('store_unavailable', message, { retryAfterSeconds: 1, cause });
}
