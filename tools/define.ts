import type { z } from 'zod';
import type { Core } from '../src/core/core.ts';
import { parseInput } from '../src/core/inputs.ts';
import type { Principal } from '../src/core/types.ts';
import type { Scope, ToolGroup } from '../src/core/vocabulary.ts';
import { requireScope } from '../src/core/use-case.ts';

/** What a client may tell its user before a call. All are set: the protocol's defaults are wrong for most tools. */
export interface Annotations {
  /** Nothing changes, here or at a receiver. Read-only mode keeps only these tools. */
  readOnlyHint: boolean;
  /** It overwrites or removes something. */
  destructiveHint: boolean;
  /** The same call again has no further effect. */
  idempotentHint: boolean;
  /** It reaches beyond Posthorn: a receiver is called, or will be. */
  openWorldHint: boolean;
}

/** One MCP tool as its file writes it down. */
export interface ToolDefinition<I extends z.ZodType, O extends z.ZodType> {
  name: string;
  group: ToolGroup;
  title: string;
  /** For the model: when to use it, when not, what to call next. Every word is paid for in every conversation. */
  description: string;
  /** Keys without it neither see nor call the tool. */
  scope: Scope;
  /** Refuses unknown fields: `z.object` would drop a misspelled argument without a word. */
  input: I;
  output: O;
  annotations: Annotations;
  run: (core: Core, principal: Principal, input: z.output<I>) => Promise<z.input<O>>;
}

/** A tool as the server serves it, whatever its input is. */
export interface Tool extends Omit<ToolDefinition<z.ZodType, z.ZodType>, 'run'> {
  /**
   * Checks scope and arguments, runs the tool and answers what its output schema holds, and no other field.
   * Throws PosthornError for what the caller can mend; any other error is a fault of ours.
   */
  call(core: Core, principal: Principal, args: unknown): Promise<Record<string, unknown>>;
}

/** Types the handler from the tool's schemas and puts the checks around it. */
export function defineTool<I extends z.ZodType, O extends z.ZodType<Record<string, unknown>>>(
  definition: ToolDefinition<I, O>,
): Tool {
  const { run, ...rest } = definition;
  return {
    ...rest,
    async call(core, principal, args) {
      requireScope(principal, definition.scope);
      const input = parseInput(definition.input, args);
      return definition.output.parse(await run(core, principal, input));
    },
  };
}
