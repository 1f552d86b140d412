import type { Row } from './row.ts';
import { crash } from './rows/crash.ts';
import { deliver } from './rows/deliver.ts';
import { fairness } from './rows/fairness.ts';
import { fanOut } from './rows/fan-out.ts';
import { growth } from './rows/growth.ts';
import { latency } from './rows/latency.ts';
import { match } from './rows/match.ts';
import { memory } from './rows/memory.ts';
import { pages } from './rows/pages.ts';
import { publish } from './rows/publish.ts';
import { recovery } from './rows/recovery.ts';
import { responsiveness } from './rows/responsiveness.ts';
import { start } from './rows/start.ts';
import { wake } from './rows/wake.ts';

/** Every row, in the order of the table. */
export const rows: readonly Row[] = [
  deliver,
  publish,
  latency,
  fanOut,
  match,
  fairness,
  recovery,
  growth,
  pages,
  memory,
  responsiveness,
  start,
  wake,
  crash,
];
