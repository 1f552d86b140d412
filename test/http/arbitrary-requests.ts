import fc from 'fast-check';
import { type Known, oddText, pick, spoiled, valuesOf, written } from './arbitrary-values.ts';
import type { Documented, Judge, Parameter } from './documented.ts';

export interface FuzzRequest {
  operation: Documented;
  path: string;
  headers: Record<string, string>;
  body: Uint8Array | null;
  /** Whether the document forbids it: by its path, query, headers, content type or body. */
  forbidden: boolean;
  /** What a failing run prints. */
  [fc.toStringMethod](): string;
}

/** Requests of one operation, about half of which the document allows. */
export function requestsOf(operation: Documented, known: Known, judged: Judge): fc.Arbitrary<FuzzRequest> {
  const parameters = operation.parameters ?? [];
  const of = (where: Parameter['in']) => parameters.filter((one) => one.in === where);
  return fc
    .record({
      path: pathOf(operation, of('path'), known, judged),
      query: queryOf(of('query'), known, judged),
      headers: headersOf(of('header'), judged),
      body: bodyOf(operation, known, judged),
    })
    .map(({ path, query, headers, body }) => ({
      operation,
      path: path.text + query.text,
      headers: { ...headers.headers, ...body.headers },
      body: body.bytes,
      forbidden: path.forbidden || query.forbidden || headers.forbidden || body.forbidden,
      [fc.toStringMethod]() {
        const text = this.body === null ? 'no body' : Buffer.from(this.body).toString().slice(0, 500);
        const isForbidden = this.forbidden ? 'forbidden' : 'allowed';
        return `${isForbidden}: ${operation.method} ${this.path} ${JSON.stringify(this.headers)} ${text}`;
      },
    }));
}

const brokenId = fc.oneof(
  oddText.filter((text) => text.isWellFormed() && !['', '.', '..'].includes(text)).map(encodeURIComponent),
  fc.constantFrom(
    '%00',
    '%ff',
    '%zz',
    '%',
    '%c0%af',
    'a%2Fb',
    'x'.repeat(65),
    'x'.repeat(4_000),
    'sub_',
    'dlv_vvvvvvvvvvv',
  ),
);

interface Part {
  forbidden: boolean;
}

/** The value once in so many times, else undefined. */
function oneIn<T>(times: number, value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.oneof({ arbitrary: fc.constant(undefined), weight: times - 1 }, { arbitrary: value, weight: 1 });
}

function pathOf(
  { method, path }: Documented,
  [parameter]: Parameter[],
  known: Known,
  judged: Judge,
): fc.Arbitrary<Part & { text: string }> {
  if (parameter === undefined) return fc.constant({ text: path, forbidden: false });
  const { name } = parameter;
  const listed = name === 'id' ? fc.constantFrom(...known.ids({ method, path })) : pick(known, name);
  return fc.oneof({ arbitrary: listed.map(String), weight: 8 }, { arbitrary: brokenId, weight: 1 }).map((value) => ({
    text: path.replace(`{${name}}`, () => value),
    forbidden: !judged.allowsText(parameter, decoded(value)),
  }));
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

const oddQuery = fc.constantFrom(
  'surprise=1',
  '__proto__=1',
  '__proto__[a]=1',
  'constructor=1',
  '%00=1',
  '%ff',
  '=1',
  'a[]=1',
  '%',
  '\u2028=1',
);

function queryOf(parameters: Parameter[], known: Known, judged: Judge): fc.Arbitrary<Part & { text: string }> {
  const given = parameters.map((parameter) => oneIn(4, textOf(parameter, known)).map((text) => ({ parameter, text })));
  const odd = oneIn(15, oddQuery);
  const twice = oneIn(15, fc.constant(true));
  return fc.tuple(fc.tuple(...given), odd, twice).map(([all, stray, isRepeated]) => {
    const pairs = all.flatMap(({ parameter, text }) => (text === undefined ? [] : [{ parameter, text }]));
    const repeated = isRepeated === true ? pairs.slice(0, 1) : [];
    const texts = [...pairs, ...repeated].map(
      ({ parameter, text }) => `${parameter.name}=${encodeURIComponent(text.toWellFormed())}`,
    );
    const query = [...texts, ...(stray === undefined ? [] : [stray])].join('&');
    const wrong = pairs.some(({ parameter, text }) => !judged.allowsText(parameter, text.toWellFormed()));
    return { text: query === '' ? '' : `?${query}`, forbidden: wrong || stray !== undefined || repeated.length > 0 };
  });
}

const wrongNumbers = ['0', '-1', '201', '1e2', '0x10', ' 5', '5.0', '', 'NaN', '9'.repeat(30), '٣'];

function textOf({ name, schema }: Parameter, known: Known): fc.Arbitrary<string> {
  const right = known.values[name] === undefined ? valuesOf(schema, known, name) : pick(known, name);
  const wrong = schema['type'] === 'integer' ? fc.constantFrom(...wrongNumbers) : oddText;
  return fc.oneof({ arbitrary: right.map(String), weight: 12 }, { arbitrary: wrong, weight: 1 });
}

function headersOf(parameters: Parameter[], judged: Judge): fc.Arbitrary<Part & { headers: Record<string, string> }> {
  const [parameter] = parameters;
  if (parameter === undefined) return fc.constant({ headers: {}, forbidden: false });
  const text = fc.oneof(
    fc.constantFrom('key-1', 'key-2', 'k'.repeat(255), 'k'.repeat(256), ''),
    fc.string({ unit: fc.integer({ min: 0xa1, max: 0xff }).map((code) => String.fromCharCode(code)) }),
  );
  return oneIn(3, text).map((value) => ({
    headers: value === undefined ? {} : { [parameter.name]: value },
    forbidden: value !== undefined && !judged.allowsText(parameter, value),
  }));
}

interface Body extends Part {
  bytes: Uint8Array | null;
  headers: Record<string, string>;
}
const json = { 'content-type': 'application/json' };
const encode = (text: string) => new TextEncoder().encode(text);

/** Not JSON, whatever the schema says. */
const brokenBodies = [
  '{',
  '{"a":1',
  '{} {}',
  "{'a':1}",
  '{"a":NaN}',
  '{"a":1,}',
  '[1,,2]',
  '{/**/}',
  '   ',
  '{"a":"\t"}',
  '\u0000',
  'nul',
  '"\\ud8"',
  '{"a":01}',
  '{"a":+1}',
  '\u2028{}',
].map(encode);
const notUtf8 = [new Uint8Array([0x22, 0xff, 0x22]), new Uint8Array([0x7b, 0, 0x7d, 0]), new Uint8Array([0xc0, 0xaf])];
const wrongTypes = ['', 'text/plain', 'application/x-www-form-urlencoded', 'application/json, text/plain', 'text/json'];

function bodyOf(operation: Documented, known: Known, judged: Judge): fc.Arbitrary<Body> {
  const none: Body = { bytes: null, headers: {}, forbidden: false };
  if (operation.method === 'GET') return fc.constant(none);
  const documented = operation.requestBody;
  const empty = { ...none, forbidden: documented?.required === true };
  const schema = documented?.content['application/json'].schema ?? { type: 'object', additionalProperties: false };
  const wanted = valuesOf(schema, known, '').chain((value) =>
    fc.oneof({ arbitrary: fc.constant(value), weight: 3 }, { arbitrary: spoiled(value), weight: 2 }),
  );
  const sent = wanted.map((value): Body => {
    const text = written(value);
    const parsed = JSON.parse(text) as unknown;
    const allowed = documented === undefined ? isEmptyObject(parsed) : judged.allowsBody(operation, parsed);
    return { bytes: encode(text), headers: json, forbidden: !allowed };
  });
  const refused = (bytes: Uint8Array, headers: Record<string, string>): Body => ({ bytes, headers, forbidden: true });
  return fc.oneof(
    { arbitrary: sent, weight: 12 },
    { arbitrary: fc.constant(empty), weight: 1 },
    { arbitrary: fc.constantFrom(...brokenBodies, ...notUtf8).map((bytes) => refused(bytes, json)), weight: 1 },
    {
      arbitrary: fc.constantFrom(...wrongTypes).map((type) => refused(encode('{}'), { 'content-type': type })),
      weight: 1,
    },
    { arbitrary: fc.constant(refused(encode('{}'), { ...json, 'content-encoding': 'gzip' })), weight: 1 },
  );
}

function isEmptyObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0;
}
