/** What is used here of libraries that are installed only when they are measured, so that types can be checked without them. */

declare module 'bullmq' {
  type Connection = { host: string; port: number };
  type Options = { connection: Connection };
  export class Queue<Data> {
    constructor(name: string, options: Options);
    addBulk(jobs: { name: string; data: Data }[]): Promise<unknown>;
    close(): Promise<void>;
  }
  export class Worker<Data, Result> {
    constructor(
      name: string,
      run: (job: { data: Data }) => Promise<Result>,
      options: Options & { concurrency: number; autorun: boolean },
    );
    run(): Promise<void>;
    on(event: 'completed', listener: () => void): this;
    on(event: 'failed', listener: (job: unknown, error: Error) => void): this;
    on(event: 'error', listener: (error: Error) => void): this;
    close(): Promise<void>;
  }
}

declare module 'graphile-worker' {
  export interface Preset {
    worker: {
      connectionString: string;
      maxPoolSize: number;
      concurrentJobs: number;
      localQueue: { size: number };
      completeJobBatchDelay: number;
      failJobBatchDelay: number;
    };
  }
  export interface Options {
    preset: Preset;
    taskList: Record<string, (payload: unknown) => Promise<void>>;
    logger: object;
    noHandleSignals: boolean;
  }
  export const Logger: new (make: () => () => void) => object;
  export function runMigrations(options: { connectionString: string }): Promise<void>;
  export function run(options: Options): Promise<{ stop(): Promise<void> }>;
}

declare module 'pg-boss' {
  interface WorkOptions {
    batchSize: number;
    localConcurrency: number;
    burstWhenBatchFull: boolean;
    pollingIntervalSeconds: number;
  }
  export class PgBoss {
    constructor(options: { connectionString: string; max: number; schedule: boolean });
    on(event: 'error', listener: (error: Error) => void): this;
    start(): Promise<unknown>;
    createQueue(name: string): Promise<unknown>;
    insert(name: string, jobs: { data: object }[]): Promise<unknown>;
    work(name: string, options: WorkOptions, run: (jobs: { data: unknown }[]) => Promise<void>): Promise<string>;
    stop(options: { graceful: boolean }): Promise<void>;
  }
}
