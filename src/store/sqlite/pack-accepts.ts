import type { AcceptBatch, NewEvent } from '../../core/ports/journey-store.ts';
import type { JourneyOp } from '../journey-op.ts';

export type AcceptOp = JourneyOp & { kind: 'accept' };

export interface PackedAccepts {
  /**
   * For each operation its workspace, version, time and count of events; behind them for each event when it occurred,
   * whether it is fanned out now, how many endpoints it is owed to, and these.
   */
  numbers: Float64Array;
  /** Three for each event: public id, type, data. */
  texts: string[];
}

export function packAccepts(ops: AcceptOp[]): PackedAccepts {
  const numbers: number[] = [];
  const texts: string[] = [];
  for (const { batch } of ops) {
    numbers.push(batch.workspaceId, batch.matchableVersion, batch.now, batch.events.length);
    for (const { publicId, type, data, occurredAt, fanOutNow, endpointIds } of batch.events) {
      numbers.push(occurredAt, fanOutNow ? 1 : 0, endpointIds.length);
      for (const id of endpointIds) numbers.push(id);
      texts.push(publicId, type, data);
    }
  }
  return { numbers: Float64Array.from(numbers), texts };
}

export function unpackAccepts({ numbers, texts }: PackedAccepts): AcceptOp[] {
  const ops: AcceptOp[] = [];
  let place = 0;
  let textPlace = 0;
  const number = (): number => numbers[place++] as number;
  const text = (): string => texts[textPlace++] as string;

  function event(): NewEvent {
    const [publicId, type, data] = [text(), text(), text()];
    const [occurredAt, fanOutNow, endpoints] = [number(), number() === 1, number()];
    const endpointIds = Array.from(numbers.subarray(place, place + endpoints));
    place += endpoints;
    return { publicId, type, data, occurredAt, endpointIds, fanOutNow };
  }

  function batch(): AcceptBatch {
    const [workspaceId, matchableVersion, now, events] = [number(), number(), number(), number()];
    return { workspaceId, matchableVersion, now, events: Array.from({ length: events }, event) };
  }

  while (place < numbers.length) ops.push({ kind: 'accept', batch: batch() });
  return ops;
}
