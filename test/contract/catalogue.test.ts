import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtInEventTypes, builtInNames } from '../../src/core/catalogue.ts';
import { agentScopes } from '../../src/core/vocabulary.ts';
import { connect } from '../mcp/clients.ts';
import { errorOf, resultOf } from '../mcp/conversation.ts';
import { type Rest, startRest } from './rest.ts';

let rest: Rest;
beforeAll(async () => {
  rest = await startRest();
});
afterAll(() => rest.close());

const schema = {
  type: 'object',
  required: ['amount'],
  properties: { amount: { type: 'number' }, lines: { type: 'array', items: { $ref: '#/$defs/line' } } },
  $defs: { line: { type: 'object', required: ['sku'] } },
};
const example = { amount: 1, lines: [{ sku: 'a' }] };
const put = (name: string, more: object = {}) =>
  rest.ask('PUT', `/v1/event-types/${name}`, { description: 'A sale.', schema, example, ...more });

describe('an event type with a schema', () => {
  it('is off until it is told otherwise, and shows what it is told', async () => {
    expect((await put('sale.off')).body).toEqual({
      name: 'sale.off',
      description: 'A sale.',
      schema,
      example,
      validation: 'off',
      built_in: false,
    });
    expect(await rest.publish({ type: 'sale.off', data: { amount: 'x' } })).toMatchObject({
      status: 202,
      body: { deliveries: 0 },
    });
    expect((await put('sale.off', { validation: 'warn' })).body.validation).toBe('warn');
    expect((await put('sale.off')).body.validation).toBe('off');
  });

  it('refuses what does not fit, with the path, and stores nothing', async () => {
    await put('sale.kept', { validation: 'reject' });
    expect((await rest.publish({ type: 'sale.kept', data: { amount: 1 } })).status).toBe(202);
    const refused = await rest.publish({ type: 'sale.kept', data: { amount: 'x' }, id: 'refused' });
    expect(refused).toMatchObject({
      status: 422,
      body: { code: 'validation_failed', errors: [{ path: '/data/amount', message: 'must be number' }] },
    });
    expect((await rest.ask('GET', '/v1/events/refused')).status).toBe(404);
    const fits = { type: 'sale.kept', data: { amount: 1 }, id: 'beside' };
    const array = [
      fits,
      { type: 'sale.kept', data: { amount: 1, lines: [{ sku: 'a' }, {}] } },
      { type: 'sale.kept', data: {} },
    ];
    const { status, body } = await rest.ask('POST', '/v1/events', array);
    expect([status, body.errors.map(({ path }: { path: string }) => path)]).toEqual([
      422,
      ['/1/data/lines/1', '/2/data'],
    ]);
    expect((await rest.ask('GET', '/v1/events/beside')).status).toBe(404);
  });

  it('warns of what does not fit and stores it', async () => {
    await put('sale.warned', { validation: 'warn' });
    const warnings = [{ path: '/data/amount', message: 'must be number' }];
    const { status, body } = await rest.publish({ type: 'sale.warned', data: { amount: 'x' }, id: 'warned' });
    expect([status, body]).toEqual([202, { id: 'warned', deliveries: 0, warnings }]);
    expect((await rest.ask('GET', '/v1/events/warned')).body.data).toEqual({ amount: 'x' });
    const array = [
      { type: 'sale.warned', data: { amount: 1 } },
      { type: 'sale.warned', data: { amount: 'x' } },
    ];
    const answered = await rest.ask('POST', '/v1/events', array);
    expect(answered.body.data).toEqual([
      { id: expect.any(String), deliveries: 0 },
      { id: expect.any(String), deliveries: 0, warnings: [{ path: '/1/data/amount', message: 'must be number' }] },
    ]);
  });

  it('may be a built-in one, which loses its schema when it is given back', async () => {
    const strict = { schema: { required: ['id'] }, example: { id: 'con_1' }, validation: 'reject' };
    expect((await put('call.missed', strict)).body).toMatchObject({ built_in: true, validation: 'reject' });
    expect((await rest.publish({ type: 'call.missed', data: {} })).body.errors).toEqual([
      { path: '/data', message: "must have required property 'id'" },
    ]);
    await rest.ask('DELETE', '/v1/event-types/call.missed');
    expect((await rest.publish({ type: 'call.missed', data: {} })).status).toBe(202);
  });

  it.each([
    [{ schema: { type: 'strin' } }, '/schema/type'],
    [{ schema: { properties: { a: { $ref: 'https://example.com/a' } } } }, '/schema/properties/a/$ref'],
    [{ schema: { properties: { a: { pattern: '(?<=x)a' } } } }, '/schema/properties/a/pattern'],
    [{ example: { amount: 'x' } }, '/example/amount'],
    [{ example: { amount: 1, lines: [{}] } }, '/example/lines/0'],
    [{ schema: null, validation: 'reject' }, '/validation'],
    [{ validation: 'sometimes' }, '/validation'],
  ])('is refused where it is wrong: %j', async (more, path) => {
    const { status, body } = await put('sale.wrong', more);
    expect([status, body.code, body.errors[0].path]).toEqual([422, 'validation_failed', path]);
  });

  it('is kept to through MCP too, which shows it', async () => {
    await put('sale.told', { validation: 'reject' });
    const headers = { authorization: `Bearer ${await rest.makeKey(...agentScopes)}` };
    const agent = await connect('2.x auto', { url: new URL(`${rest.base}/mcp`), headers });
    try {
      const { event_types: types } = resultOf(await agent.callTool('list_event_types', { limit: 200 })) as unknown as {
        event_types: object[];
      };
      expect(types).toContainEqual(expect.objectContaining({ name: 'sale.told', schema, validation: 'reject' }));
      const refused = errorOf(await agent.callTool('publish_event', { type: 'sale.told', data: {} }));
      expect(refused).toMatch(/^validation_failed: .*\/data/);
    } finally {
      await agent.close();
    }
  });
});

describe('the webhooks of the OpenAPI document', () => {
  interface Webhook {
    post: {
      summary: string;
      requestBody: { content: { 'application/json': { schema: object; example: { data: object } } } };
    };
  }
  const read = async (key: string | null): Promise<{ webhooks: Record<string, Webhook> }> =>
    (await rest.ask('GET', '/v1/openapi.json', undefined, { key })).body;
  const contentOf = (one: Webhook | undefined) => one?.post.requestBody.content['application/json'];

  it('are the built-in types for everybody, each with an example that fits', async () => {
    const { webhooks } = await read(null);
    expect(Object.keys(webhooks).toSorted()).toEqual([...builtInNames].toSorted());
    for (const { name, description, example: sample } of builtInEventTypes) {
      const content = contentOf(webhooks[name]);
      expect(webhooks[name]?.post.summary).toBe(description);
      expect(content?.example.data).toEqual(sample);
      const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(content?.schema ?? false);
      expect([name, validate(content?.example)]).toEqual([name, true]);
      expect(validate({ ...content?.example, type: 'another.type' })).toBe(false);
    }
  });

  it('are those of the workspace for whoever may read them, and the document stays valid', async () => {
    await put('sale.documented');
    const document = await read(await rest.makeKey('webhooks:read'));
    const content = contentOf(document.webhooks['sale.documented']);
    const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(content?.schema ?? false);
    expect(validate(content?.example)).toBe(true);
    expect(validate({ ...content?.example, data: { amount: 1, lines: [{}] } })).toBe(false);
    const validated = await new Validator().validate(document);
    expect(validated).toMatchObject({ valid: true });
    expect((await read(await rest.makeKey('events:write'))).webhooks).not.toHaveProperty(['sale.documented']);
    expect((await rest.ask('GET', '/v1/openapi.json', undefined, { key: 'tp_live_wrong' })).status).toBe(401);
  });

  it('names the headers of the brand', async () => {
    const { body } = await rest.ask('GET', '/v1/openapi.json', undefined, { key: null });
    const headers = Object.values(body.components.parameters).map((one) => (one as { name: string }).name);
    expect(headers).toEqual([
      'webhook-id',
      'webhook-timestamp',
      'webhook-signature',
      'X-TrustPager-Signature',
      'X-TrustPager-Signature-Next',
      'X-TrustPager-Event',
      'X-TrustPager-Test',
    ]);
  });
});
