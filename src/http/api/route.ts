import type { z } from 'zod';
import { type Actions, type Core, useCases } from '../../core/core.ts';
import type { ErrorCode } from '../../core/errors.ts';
import type { Principal } from '../../core/types.ts';
import type { Scope } from '../../core/vocabulary.ts';
import type { Answer } from '../answer.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
export type Tag =
  | 'Subscriptions'
  | 'Configs'
  | 'Automations'
  | 'Events'
  | 'Event types'
  | 'Conditions'
  | 'Deliveries'
  | 'Keys'
  | 'Audit';

/** One line of the table that both the server and the OpenAPI document are made from. */
export interface Route {
  method: Method;
  /** With parameters in braces, as OpenAPI writes them. */
  path: `/v1/${string}`;
  operationId: string;
  tag: Tag;
  summary: string;
  description?: string;
  scope: Scope;
  /** The schema of core's input, which path, query, headers and body make up together. */
  input: z.ZodObject;
  /** Which field of the input a path parameter is. */
  params: Readonly<Record<string, string>>;
  /** Which field of the input a header is, by its lower-case name. */
  headers: Readonly<Record<string, string>>;
  /** The body may be an array of up to this many inputs. */
  arrayItemsMax?: number;
  /** An input that works as it stands, for the document. */
  example?: unknown;
  answers: readonly DocumentedAnswer[];
  /** Codes that this route may answer beside those of every route. */
  errors: readonly ErrorCode[];
  /** Asked so often that its log lines are for debugging only. */
  frequent: boolean;
  run(core: Core, principal: Principal, input: unknown): Promise<Answer>;
}

export interface DocumentedAnswer {
  status: number;
  description: string;
  /** Null: no body. */
  schema: z.ZodType | null;
  /** `application/json` when left out. */
  contentType?: string;
}

type Output<K extends keyof Actions> = Awaited<ReturnType<Actions[K]>>;

type RouteOptions<K extends keyof Actions> = Pick<Route, 'method' | 'path' | 'tag' | 'summary'> &
  Partial<Pick<Route, 'operationId' | 'description' | 'params' | 'headers' | 'example' | 'errors'>> & {
    /** `schema` null: answered without a body. */
    answer: { status: number; description: string; schema: z.ZodType<Output<K>> | null };
  };

/** A route to one use case, which gives it its scope and its input. */
export function route<K extends keyof Actions>(useCase: K, options: RouteOptions<K>): Route {
  const { scope, input } = useCases[useCase];
  const { answer, ...rest } = options;
  return {
    operationId: useCase,
    params: {},
    headers: {},
    errors: [],
    frequent: false,
    ...rest,
    scope,
    input,
    answers: [answer],
    async run(core, principal, given) {
      const output = await core[useCase](principal, given);
      return answer.schema === null ? { status: answer.status } : { status: answer.status, json: output };
    },
  };
}
