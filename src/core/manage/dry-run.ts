import type { Inputs } from '../inputs.ts';
import type { EventRecord } from '../ports/record-store.ts';
import { checkCondition } from '../rules/condition.ts';
import { dryRunOne } from '../rules/dry-run.ts';
import { iso } from '../rules/times.ts';
import type { DryRun, Principal } from '../types.ts';
import type { Context } from '../use-case.ts';
import { checkPatterns } from './event-types.ts';

const eventsMax = 100;
/** Each may hold 256 KiB. */
const eventsPerRead = 25;

/**
 * Which of the last retained events a choice of types and a condition would have taken, and why not the others. Whoever
 * asks often enough learns what events hold, so it needs the scope with which one could have them sent.
 */
export async function dryRun(context: Context, principal: Principal, input: Inputs['dryRun']): Promise<DryRun> {
  const { workspaceId } = principal;
  const patterns = input.events ?? ['*'];
  await checkPatterns(context, workspaceId, patterns);
  checkCondition(context.conditions, input.condition, '/condition');
  const condition = input.condition === undefined ? null : context.conditions.compile(input.condition);
  const events: DryRun['events'] = [];
  let before: number | undefined;
  while (events.length < eventsMax) {
    const rows: EventRecord[] = await context.store.records.events(workspaceId, { before, limit: eventsPerRead });
    for (const row of rows) {
      const verdict = dryRunOne(patterns, condition, row);
      events.push({ event_id: row.publicId, event_type: row.type, created_at: iso(row.createdAt), ...verdict });
    }
    before = rows.at(-1)?.id;
    if (rows.length < eventsPerRead) break;
  }
  const matched = events.filter(({ verdict }) => verdict === 'matched').length;
  return { looked_at: events.length, matched, events };
}
