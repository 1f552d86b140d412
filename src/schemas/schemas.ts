import { type ErrorObject, type Options, type ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats, { type FormatName } from 'ajv-formats';
import type { CompiledSchema, SchemaFault, Schemas } from '../core/ports/schemas.ts';
import { beginCheck, linearPattern, spend, TooManySteps } from './budget.ts';
import { prepare, stepsKeyword } from './prepare.ts';

/** Compiled schemas that are kept. */
const compiledMax = 500;

/** Those whose checks take linear time. */
const formats: FormatName[] = [
  'date',
  'time',
  'date-time',
  'duration',
  'uri',
  'email',
  'hostname',
  'ipv4',
  'ipv6',
  'uuid',
  'json-pointer',
];

const options: Options = {
  allErrors: false,
  // Unknown keywords and formats are notes for people.
  strict: false,
  logger: false,
  inlineRefs: false,
};

const kept = new Map<string, CompiledSchema>();

export const schemas: Schemas = {
  async compile(text) {
    const known = kept.get(text);
    if (known !== undefined) return known;
    if (kept.size >= compiledMax) kept.clear();
    const compiled = compile(text);
    kept.set(text, compiled);
    return compiled;
  },
};

function compile(text: string): CompiledSchema {
  const prepared = prepare(text);
  if ('fault' in prepared) return prepared;
  const { schema } = prepared;
  if (drafts.validateSchema(schema) !== true) return { fault: faultOf(drafts.errors) };
  try {
    const validate = validator().compile(schema);
    return { check: (data) => check(validate, data) };
  } catch (error) {
    // Of what is left to go wrong, references that lead nowhere.
    return { fault: { path: '', message: error instanceof Error ? error.message : 'cannot be compiled' } };
  }
}

/** Knows what a schema has to look like, and nobody's schemas. */
const drafts = new Ajv2020(options);

/** One for each schema, so that none can refer to another workspace's. */
function validator(): Ajv2020 {
  const ajv = new Ajv2020({ ...options, meta: false, validateSchema: false, code: { regExp: linearPattern } });
  addFormats.default(ajv, { mode: 'fast', formats });
  return ajv.addKeyword({
    keyword: stepsKeyword,
    schemaType: 'number',
    validate: (steps: number) => {
      spend(steps);
      return true;
    },
  });
}

function check(validate: ValidateFunction, data: unknown): SchemaFault | null {
  beginCheck();
  try {
    return validate(data) ? null : faultOf(validate.errors);
  } catch (error) {
    if (error instanceof TooManySteps) return { path: '', message: 'is too large to be checked against its schema' };
    // The stack: a schema that refers to itself on the same value.
    if (error instanceof RangeError) return { path: '', message: 'cannot be checked: its schema refers to itself' };
    throw error;
  }
}

function faultOf(errors: ErrorObject[] | null | undefined): SchemaFault {
  const [first] = errors ?? [];
  if (first === undefined) return { path: '', message: 'is not valid' };
  const { instancePath, message = 'is not valid', keyword, params } = first;
  const choices =
    keyword === 'enum' || keyword === 'const'
      ? `: ${JSON.stringify(params['allowedValues'] ?? params['allowedValue'])}`
      : '';
  const extra = typeof params['additionalProperty'] === 'string' ? `: ${params['additionalProperty']}` : '';
  return { path: instancePath, message: `${message}${choices}${extra}`.slice(0, 300) };
}
