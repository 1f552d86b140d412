import { type FieldError, PosthornError } from '../errors.ts';
import { limits } from '../inputs.ts';
import type { Matchable, NewEvent } from '../ports/journey-store.ts';
import type { Ports } from '../ports/ports.ts';
import { Stretch } from './stretch.ts';

type Draft = Pick<NewEvent, 'type' | 'data'> & { path: string };

/** Holds events against the schemas of their types, where those are to be kept to. */
export interface Fitting {
  check(drafts: Draft[]): Promise<Fit>;
}
export interface Fit {
  /** By the place of the event among the drafts. */
  warnings: Map<number, FieldError[]>;
  /** Of events that must not be stored. */
  refusals: FieldError[];
}

export function makeFitting({ eventTypes }: Matchable, { schemas, clock }: Pick<Ports, 'schemas' | 'clock'>): Fitting {
  const kept = new Map(
    eventTypes.flatMap(({ name, schema, validation }) => (schema === null ? [] : [[name, { schema, validation }]])),
  );

  return {
    async check(drafts) {
      const warnings = new Map<number, FieldError[]>();
      const refusals: FieldError[] = [];
      const stretch = new Stretch(clock);
      for (const [index, { type, data, path }] of drafts.entries()) {
        const rule = kept.get(type);
        if (rule === undefined) continue;
        const compiled = await schemas.compile(rule.schema);
        // One that no longer compiles says so at every event, until it is put right.
        const fault = 'fault' in compiled ? compiled.fault : compiled.check(JSON.parse(data));
        if (stretch.isOver()) await stretch.rest();
        if (fault === null) continue;
        const error = { path: `${path}/data${fault.path}`, message: fault.message };
        if (rule.validation === 'reject') refusals.push(error);
        else warnings.set(index, [error]);
      }
      return { warnings, refusals };
    },
  };
}

export function notFitting(refusals: FieldError[]): PosthornError {
  const [first] = refusals;
  const message = `${first?.path ?? ''}: ${first?.message ?? ''}, says the schema of its event type; nothing was stored.`;
  return new PosthornError('validation_failed', message, { errors: refusals.slice(0, limits.fieldErrorsMax) });
}
