import { Worker } from 'node:worker_threads';
import type { HealthLimits } from '../../core/rules/health.ts';
import { storeError } from '../store-error.ts';
import type { WriterReply, WriterRequest } from './messages.ts';

/** Whoever takes the requests of a writer, one after the other. */
export type Writing = Pick<WriterThread, 'request' | 'close'>;

/** The main thread's end of the writer's thread. */
export class WriterThread {
  readonly #worker: Worker;
  #waiting: { resolve(reply: WriterReply): void; reject(error: unknown): void }[] = [];
  #dead: Error | null = null;

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.on('message', (reply: WriterReply) => this.#waiting.shift()?.resolve(reply));
    worker.on('error', (error) => this.#fail(error));
    worker.on('exit', () => this.#fail(new Error('the writer thread has ended')));
  }

  /** Starts the thread. Throws when the database cannot be opened. */
  static async start(path: string, limits: HealthLimits): Promise<WriterThread> {
    const file = import.meta.url.endsWith('.ts') ? './writer.ts' : './writer.js';
    const thread = new WriterThread(new Worker(new URL(file, import.meta.url), { workerData: { path, limits } }));
    const ready = await thread.#next();
    if (ready.kind === 'failed') {
      await thread.#worker.terminate();
      throw storeError(ready.error);
    }
    // Only calls under way keep the process alive.
    thread.#worker.unref();
    return thread;
  }

  /** Sends one request. Throws `store_unavailable` when the database is locked, full or away. */
  async request(request: WriterRequest): Promise<WriterReply> {
    if (this.#dead !== null) throw storeError({ code: 'SQLITE_MISUSE', message: this.#dead.message });
    if (this.#waiting.length === 0) this.#worker.ref();
    this.#worker.postMessage(request);
    const reply = await this.#next();
    if (this.#waiting.length === 0) this.#worker.unref();
    if (reply.kind === 'failed') throw storeError(reply.error);
    return reply;
  }

  async close(): Promise<void> {
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
    this.#dead ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}
