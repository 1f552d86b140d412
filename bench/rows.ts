import type { Row } from './row.ts';
import { deliver } from './rows/deliver.ts';
import { latency } from './rows/latency.ts';
import { publish } from './rows/publish.ts';
import { start } from './rows/start.ts';

/** Every row, in the order of the table. */
export const rows: readonly Row[] = [deliver, publish, latency, start];
