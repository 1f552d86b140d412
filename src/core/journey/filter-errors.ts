import type { FilterErrorNote } from '../conditions.ts';
import type { Ports } from '../ports.ts';
import { faultSentence } from '../rules/condition.ts';
import type { FilterError } from './matcher.ts';

/** Errors are written at once, and then no more often than this: a broken filter must not cost a commit for every event. */
const writeEveryMs = 1_000;
/** Endpoints whose errors wait to be written. Those beyond are not counted. */
const waitingMax = 10_000;
/** One transaction holds the database for no longer than these take. */
const notesPerWrite = 200;

/** Counts the filters that had no value for an event, for people to see on their endpoint. */
export interface FilterErrors {
  note(workspaceId: number, errors: readonly FilterError[]): void;
  /** Writes what is counted and not written yet. */
  close(): Promise<void>;
}

export function makeFilterErrors({ store, clock, log }: Pick<Ports, 'store' | 'clock' | 'log'>): FilterErrors {
  let waiting = new Map<string, FilterErrorNote>();
  let writing: Promise<void> = Promise.resolve();
  let cancel: (() => void) | null = null;

  async function write(): Promise<void> {
    const notes = [...waiting.values()];
    waiting = new Map();
    try {
      for (let at = 0; at < notes.length; at += notesPerWrite) {
        await store.endpoints.noteFilterErrors(notes.slice(at, at + notesPerWrite));
      }
    } catch (error) {
      log.warn({ err: error, notes: notes.length }, 'errors of filters could not be counted');
    }
  }

  function writeSoon(): void {
    if (cancel !== null) return;
    writing = writing.then(write);
    cancel = clock.after(writeEveryMs, () => {
      cancel = null;
      if (waiting.size > 0) writeSoon();
    });
  }

  return {
    note(workspaceId, errors) {
      if (errors.length === 0) return;
      const at = clock.now();
      for (const { endpointId, fault } of errors) {
        const sentence = faultSentence(fault);
        const key = `${endpointId} ${sentence}`;
        const count = (waiting.get(key)?.count ?? 0) + 1;
        if (count > 1 || waiting.size < waitingMax) waiting.set(key, { workspaceId, endpointId, count, sentence, at });
      }
      writeSoon();
    },
    async close() {
      cancel?.();
      writing = writing.then(write);
      await writing;
    },
  };
}
