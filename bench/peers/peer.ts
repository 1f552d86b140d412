import type { LoopWork } from '../loop.ts';

/** Where the queues keep their jobs. */
export interface Backends {
  postgresUrl: string;
  /** Null where Redis is not installed. */
  redisPort: number | null;
}

/** What a peer's process is to do: as much as the loop, from its own queue. */
export interface PeerWork extends LoopWork, Backends {
  peer: PeerName;
}

export type PeerName = 'BullMQ' | 'graphile-worker' | 'pg-boss';

/** One event that waits in a queue. */
export interface Job {
  id: string;
  /** JSON text, as Posthorn keeps it too: nobody has to print it again. */
  data: string;
}

/** One row of the log. */
export interface Attempt {
  id: string;
  url: string;
  status: number;
  durationMs: number;
}

/** One queue library, with the events to deliver in it. */
export interface Peer {
  /** Delivers until nothing is left, and resolves once the end of the last job is durable. */
  work(deliver: (job: Job) => Promise<Attempt>): Promise<void>;
  close(): Promise<void>;
}

export type MakePeer = (work: PeerWork, jobs: Job[]) => Promise<Peer>;
