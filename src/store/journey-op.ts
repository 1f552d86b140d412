import type {
  AcceptBatch,
  AcceptResult,
  FanOutStep,
  LeasedBatch,
  Settlement,
  Share,
  TestRecord,
} from '../core/ports/journey-store.ts';
import type { AttemptRecord } from '../core/ports/record-store.ts';

/**
 * The writing operations of the journey. They are data and not calls, so that they can cross to the writer's thread and
 * those that arrive together can share a transaction.
 */
export type JourneyOp =
  | { kind: 'accept'; batch: AcceptBatch }
  | { kind: 'lease'; workerId: number; shares: Share[]; now: number }
  | { kind: 'settle'; workerId: number; settlements: Settlement[] }
  | { kind: 'giveBack'; workerId: number; deliveryIds: number[]; dueAt: number }
  | { kind: 'recordTest'; test: TestRecord }
  | { kind: 'fanOut'; step: FanOutStep }
  | { kind: 'registerWorker'; name: string; now: number }
  | { kind: 'beat'; workerId: number; now: number }
  | { kind: 'retireWorker'; workerId: number; unsent: number[]; now: number }
  | { kind: 'reapWorkers'; silentSince: number; now: number; leasesMax: number };

export type JourneyResult = AcceptResult | LeasedBatch | boolean[] | AttemptRecord | number | boolean | null;

/** About how many rows an operation writes. */
export function rowsOf(op: JourneyOp): number {
  switch (op.kind) {
    case 'accept':
      return op.batch.events.reduce((sum, event) => sum + 1 + (event.fanOutNow ? event.endpointIds.length : 0), 0);
    case 'lease':
      return op.shares.reduce((sum, share) => sum + share.count, 0);
    case 'settle':
      return op.settlements.length * 2;
    case 'fanOut':
      return op.step.endpointIds.length;
    case 'reapWorkers':
      return op.leasesMax;
    default:
      return 1;
  }
}
