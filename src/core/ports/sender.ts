import type { AttemptError } from '../vocabulary.ts';

/** Decides whether a URL may be called; every connection is checked again by the sender. */
export interface Targets {
  /** Never says why or what a name resolved to: that would make us a port scanner for strangers. */
  check(url: string): Promise<TargetVerdict>;
}

export type TargetVerdict = { allowed: true; url: string; host: string; resolves: boolean } | { allowed: false };

export interface Sender {
  /** Sends once. Never throws: whatever happens is a result. Ends within `deadlineMs`. */
  send(request: OutgoingRequest): Promise<SendResult>;
  close(): Promise<void>;
}

export interface OutgoingRequest {
  url: string;
  /** Name, value, name, value …: the form that undici sends without another copy. */
  headers: string[];
  body: string | Buffer;
  deadlineMs: number;
}

export interface SendResult {
  /** The final status (200 to 599), or null when none came. */
  responseCode: number | null;
  /** Why no usable response came; null when the final status stands. A 2xx that never ended, or grew too large, keeps its
   * status and has an error. */
  error: AttemptError | null;
  durationMs: number;
  /** The Retry-After header as it came. */
  retryAfter: string | null;
  /** The first bytes of the body, undecoded, at most 16 KiB; null when there is none. */
  excerpt: Buffer | null;
}
