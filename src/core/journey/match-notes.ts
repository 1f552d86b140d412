import type { AutomationNote } from '../ports/automation-store.ts';
import type { FilterErrorNote } from '../ports/conditions.ts';
import type { Ports } from '../ports/ports.ts';
import { faultSentence } from '../rules/condition.ts';
import type { AutomationRun, FilterError, Match } from './matcher.ts';

/** Notes are written at once, and then no more often than this: they must not cost a commit for every event. */
const writeEveryMs = 1_000;
/** Endpoints and automations of which something waits to be written. Those beyond are not counted. */
const waitingMax = 10_000;
/** One transaction holds the database for no longer than these take. */
const notesPerWrite = 200;

/** Counts what people see of matching: filters that had no value for an event, and what became of automations. */
export interface MatchNotes {
  note(workspaceId: number, match: Match): void;
  /** Writes what is counted and not written yet. */
  close(): Promise<void>;
}

export function makeMatchNotes({ store, clock, log }: Pick<Ports, 'store' | 'clock' | 'log'>): MatchNotes {
  let filters = new Map<string, FilterErrorNote>();
  let automations = new Map<number, AutomationNote>();
  let writing: Promise<void> = Promise.resolve();
  let cancel: (() => void) | null = null;

  async function write(): Promise<void> {
    const [errors, runs] = [[...filters.values()], [...automations.values()]];
    filters = new Map();
    automations = new Map();
    try {
      await inSteps(errors, (notes) => store.endpoints.noteFilterErrors(notes));
      await inSteps(runs, (notes) => store.automations.noteRuns(notes));
    } catch (error) {
      log.warn({ err: error, notes: errors.length + runs.length }, 'what became of matching could not be counted');
    }
  }

  function writeSoon(): void {
    if (cancel !== null) return;
    writing = writing.then(write);
    cancel = clock.after(writeEveryMs, () => {
      cancel = null;
      if (filters.size + automations.size > 0) writeSoon();
    });
  }

  function noteError(workspaceId: number, { endpointId, fault }: FilterError): void {
    const sentence = faultSentence(fault);
    const key = `${endpointId} ${sentence}`;
    const count = (filters.get(key)?.count ?? 0) + 1;
    if (count === 1 && filters.size >= waitingMax) return;
    filters.set(key, { workspaceId, endpointId, count, sentence, at: clock.now() });
  }

  function noteRun(workspaceId: number, { automationId, fault }: AutomationRun): void {
    const known = automations.get(automationId);
    if (known === undefined && automations.size >= waitingMax) return;
    const { fired, errors, sentence } = known ?? { fired: 0, errors: 0, sentence: null };
    automations.set(automationId, {
      workspaceId,
      automationId,
      fired: fired + (fault === null ? 1 : 0),
      errors: errors + (fault === null ? 0 : 1),
      sentence: fault === null ? sentence : faultSentence(fault),
      at: clock.now(),
    });
  }

  return {
    note(workspaceId, { errors, runs }) {
      if (errors.length === 0 && runs.length === 0) return;
      for (const error of errors) noteError(workspaceId, error);
      for (const run of runs) noteRun(workspaceId, run);
      writeSoon();
    },
    async close() {
      cancel?.();
      writing = writing.then(write);
      await writing;
    },
  };
}

async function inSteps<N>(notes: N[], write: (some: N[]) => Promise<void>): Promise<void> {
  for (let at = 0; at < notes.length; at += notesPerWrite) await write(notes.slice(at, at + notesPerWrite));
}
