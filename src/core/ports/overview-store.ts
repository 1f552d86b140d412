/** What the overview asks of the database, and how the figures behind it are kept. Times are epoch milliseconds. */
export interface OverviewStore {
  /** Attempts of live deliveries between the times, by bucket, outcome and duration class. */
  statistics(workspaceId: number, since: number, until: number, bucketMs: number): Promise<StatisticsCell[]>;
  /** How many events a replay of what failed or was missed would queue, counted up to `countMax`. */
  countReplay(workspaceId: number, span: ReplaySpan): Promise<number>;
  /** Adds one step of attempts to the figures; answers whether there may be more. */
  rollUp(): Promise<boolean>;
}

export interface StatisticsCell {
  bucketAt: number;
  succeeded: boolean;
  /** The index into `durationBoundsMs` of the first bound that it stays below; their length: none. */
  durationClass: number;
  count: number;
}

export interface ReplaySpan {
  endpointId: number;
  /** Names of event types that it wants. */
  types: string[];
  afterEventId: number;
  since: number;
  countMax: number;
}
