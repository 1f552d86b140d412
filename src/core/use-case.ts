import type { z } from 'zod';
import { PosthornError } from './errors.ts';
import { parseInput } from './inputs.ts';
import type { AttemptFacts, LeasedEvent } from './ports/journey-store.ts';
import type { Ports } from './ports/ports.ts';
import { authorOf } from './rules/audited.ts';
import type { Vault } from './rules/seal.ts';
import type { Settings } from './settings.ts';
import type { Principal } from './types.ts';
import type { AuditAction, Scope } from './vocabulary.ts';

/** What every use case may reach. */
export interface Context extends Ports {
  settings: Settings;
  vault: Vault;
  /** Tells the worker of this process that deliveries became due. */
  wake(): void;
  /** Tells it that an endpoint is not as it was: what it leased before is not sent any more. */
  endpointChanged(endpointId: number): void;
  /** Sends one sample to an endpoint now, outside of its schedule, and tells what came of it. */
  sendTest: SendTest;
}

/** Throws `not_found` when the endpoint is gone. */
export type SendTest = (endpointId: number, sample: LeasedEvent) => Promise<TestOutcome>;
export interface TestOutcome {
  endpointVersion: number;
  attempt: AttemptFacts;
  succeeded: boolean;
}

/**
 * One thing that people or agents may do: the scope it needs, the input it takes, what it does. Faces call it and read
 * `scope` and `input` for their documents; none of them decides who may do what.
 */
export interface UseCase<S extends z.ZodType, O> {
  scope: Scope;
  input: S;
  /** What the audit log calls it; null: it changes nothing, and a store that refuses every change holds it to that. */
  action: AuditAction | null;
  run(context: Context, principal: Principal, input: z.output<S>): Promise<O>;
}

export function useCase<S extends z.ZodType, O>(
  scope: Scope,
  input: S,
  run: UseCase<S, O>['run'],
): UseCase<S, O> & { action: null } {
  return { scope, input, action: null, run };
}

/** One that changes something: its first change in the store writes one row into the audit log. */
export function change<A extends AuditAction, S extends z.ZodType, O>(
  action: A,
  scope: Scope,
  input: S,
  run: UseCase<S, O>['run'],
): UseCase<S, O> & { action: A } {
  return { scope, input, action, run };
}

/** Throws `insufficient_scope` unless the principal holds the scope. */
export function requireScope(principal: Principal, scope: Scope): void {
  if (!principal.scopes.has(scope)) {
    throw new PosthornError('insufficient_scope', `This needs the scope ${scope}.`);
  }
}

/** Checks scope and input, then does it. */
export async function perform<S extends z.ZodType, O>(
  one: UseCase<S, O>,
  context: Context,
  principal: Principal,
  input: unknown,
): Promise<O> {
  requireScope(principal, one.scope);
  const parsed = parseInput(one.input, input);
  return one.run(as(context, one.action, principal), principal, parsed);
}

/** The context of one use case: what its store changes is this action of this principal; null: it changes nothing. */
export function as(context: Context, action: AuditAction | null, principal: Omit<Principal, 'workspaceId'>): Context {
  const author = action === null ? null : authorOf(action, principal, context.clock.now());
  return { ...context, store: context.store.for(author) };
}

export function notFound(what: string): PosthornError {
  return new PosthornError('not_found', `There is no such ${what} in this workspace.`);
}
