/** What the operator decides about the journey. Durations are milliseconds. */
export interface Settings {
  version: string;
  brand: string;
  retryScheduleMs: readonly number[];
  attemptTimeoutMs: number;
  disableAfterFailures: number;
  disableAfterMs: number;
  /** Attempts in flight of this process, in all and for one endpoint. */
  concurrency: number;
  endpointConcurrency: number;
  retentionMs: number;
  newHosts: 'allow' | 'approve';
  /** Events a minute and key; null is unlimited. */
  publishPerMinute: number | null;
  /** The operator's own key, never stored; null when there is none. */
  adminKey: string | null;
}
