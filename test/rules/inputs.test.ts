import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { type FieldError, PosthornError } from '../../src/core/errors.ts';
import { type Inputs, inputs, limits, parseInput } from '../../src/core/inputs.ts';
import { secretFault } from '../../src/core/rules/sign.ts';

type Name = keyof typeof inputs;
const text = (length: number) => 'x'.repeat(length);
const list = (length: number) => Array.from({ length }, (_, index) => `a.b${index}`);

/** The smallest input that each use case takes. */
const smallest: Record<Name, object> = {
  createSubscription: { url: 'https://a.example', events: ['*'] },
  listSubscriptions: {},
  subscriptionId: { subscription_id: 'sub_1' },
  updateSubscription: { subscription_id: 'sub_1' },
  approveSubscription: { subscription_id: 'sub_1' },
  testSubscription: { subscription_id: 'sub_1' },
  rotateSecret: { subscription_id: 'sub_1' },
  replay: { subscription_id: 'sub_1', since: '2026-11-23T10:00:00Z' },
  createConfig: { name: 'Notify the team', url: 'https://a.example' },
  listConfigs: {},
  configId: { config_id: 'cfg_1' },
  updateConfig: { config_id: 'cfg_1' },
  approveConfig: { config_id: 'cfg_1' },
  testConfig: { config_id: 'cfg_1' },
  rotateConfigSecret: { config_id: 'cfg_1' },
  replayConfig: { config_id: 'cfg_1', since: '2026-11-23T10:00:00Z' },
  listConfigAttempts: { config_id: 'cfg_1' },
  createAutomation: { name: 'a', trigger_event: '*', actions: [{ type: 'webhook', config_id: 'cfg_1' }] },
  listAutomations: {},
  automationId: { automation_id: 'aut_1' },
  updateAutomation: { automation_id: 'aut_1' },
  listAllAttempts: {},
  putEventType: { name: 'invoice.paid', description: 'An invoice was paid.', example: {} },
  eventTypeName: { name: 'invoice.paid' },
  listAttempts: { subscription_id: 'sub_1' },
  publish: { type: 'contact.created', data: {} },
  listEvents: {},
  eventId: { event_id: 'evt_1' },
  listEventTypes: {},
  listDeliveries: {},
  dryRun: {},
  attemptId: { attempt_id: 'att_1' },
  statistics: {},
  missed: { endpoint_id: 'sub_1' },
  deliveryId: { delivery_id: 'dlv_1' },
  createKey: { name: 'ci', scopes: ['events:write'] },
  listKeys: {},
  keyId: { key_id: 'key_1' },
  listAudit: {},
  none: {},
};
const names = Object.keys(inputs) as Name[];

function faultOf(schema: z.ZodType, input: unknown, at?: string): PosthornError {
  try {
    parseInput(schema, input, at);
  } catch (error) {
    if (error instanceof PosthornError) return error;
    throw error;
  }
  throw new Error('the input was accepted');
}
const pathsOf = (errors: FieldError[]) => errors.map(({ path }) => path);
const refusedPaths = (name: Name, input: unknown) => pathsOf(faultOf(inputs[name], input).errors);
const accepts = (name: Name, input: unknown) => inputs[name].safeParse(input).success;

describe.each(names)('%s', (name) => {
  it('takes what it needs and no more', () => {
    expect(accepts(name, smallest[name])).toBe(true);
  });

  it('misses each field that it needs, by its pointer', () => {
    const needed = Object.keys(smallest[name]);
    for (const field of needed) {
      const rest = Object.fromEntries(Object.entries(smallest[name]).filter(([key]) => key !== field));
      expect(refusedPaths(name, rest)).toEqual([`/${field}`]);
    }
    expect(accepts(name, {})).toBe(needed.length === 0);
  });

  it('refuses a field that it does not know, by its pointer', () => {
    const fault = faultOf(inputs[name], { ...smallest[name], 'no/such~field': 1 });
    expect(fault).toMatchObject({ code: 'validation_failed', status: 422 });
    expect(fault.errors).toEqual([{ path: '/no~1such~0field', message: 'is not a field of this request' }]);
  });

  it('refuses what is no object', () => {
    for (const input of [null, undefined, 'text', 5, true, []]) expect(refusedPaths(name, input)).toEqual(['']);
  });
});

/** A field, what it still takes and what it no longer takes: each limit at its edge. */
const edges: [Name, string, ok: unknown[], refused: unknown[]][] = [
  ['createSubscription', '/url', [text(1), text(2_048)], ['', text(2_049), null, 5]],
  ['createSubscription', '/events', [list(1), list(100)], [[], list(101), '*', null]],
  ['createSubscription', '/events/0', [[text(1)], [text(128)]], [[''], [text(129)], [5], [null]]],
  ['createSubscription', '/secret', [text(8), text(256)], [text(257), null, 5]],
  ['createSubscription', '/description', ['', text(500), null], [text(501), 5]],
  ['createSubscription', '/idempotency_key', [text(1), text(255)], ['', text(256), null]],
  ['updateSubscription', '/subscription_id', [text(1), text(64)], ['', text(65), 5, null]],
  ['updateSubscription', '/url', [text(2_048)], ['', text(2_049), null]],
  ['updateSubscription', '/events', [list(100)], [[], list(101)]],
  ['updateSubscription', '/description', [null, text(500)], [text(501)]],
  ['updateSubscription', '/status', ['active', 'paused'], ['disabled', 'pending_approval', 'Active', '', null]],
  ['listSubscriptions', '/status', ['active', 'paused', 'disabled', 'pending_approval'], ['deleted', '', null]],
  ['listSubscriptions', '/limit', [1, 200], [0, 201, -1, 1.5, '1', '200', true, [5], '', 'ten', Number.NaN, null]],
  ['listSubscriptions', '/cursor', ['', text(200)], [text(201), 5, null]],
  ['testSubscription', '/event_type', [text(1), text(128)], ['', text(129)]],
  ['rotateSecret', '/secret', [text(256)], [text(257), null]],
  ['rotateSecret', '/overlap', ['0s', '7d', '999999999999ms'], ['', '24', '1.5h', '-1h', '1w', '1000000000000ms', 5]],
  ['replay', '/since', ['2026-11-23T10:00:00Z'], ['2026-11-23', 'yesterday', '', 5, null]],
  ['replay', '/until', ['2026-11-23T10:00:00Z'], ['2026-11-23T10:00:00']],
  ['replay', '/status', ['failed', 'missed', 'all'], ['succeeded', '', null]],
  ['listAttempts', '/status', ['succeeded', 'failed'], ['pending', '', null]],
  ['listAttempts', '/event_type', ['', text(128)], [text(129), null]],
  ['listAttempts', '/include_untrusted_response', [true, false], ['true', 1, null]],
  ['listAllAttempts', '/is_test', [true, false], ['true', 0, null]],
  ['listAllAttempts', '/endpoint_id', [text(64)], ['', text(65)]],
  ['listDeliveries', '/status', ['pending', 'succeeded', 'failed', 'canceled'], ['cancelled', '', null]],
  ['listDeliveries', '/endpoint_id', [text(64)], ['', text(65)]],
  ['publish', '/type', [text(1), text(128)], ['', text(129), 5, null]],
  ['publish', '/data', [{}, { a: null }], [[], null, 'text', 5, true]],
  ['publish', '/id', ['a', text(64), 'A-z_0'], ['', text(65), 'a b', 'a.b', 'é', 'a\n', 5, null]],
  ['publish', '/occurred_at', ['2026-11-23T10:00Z'], ['2026-11-23', 1_790_000_000, null]],
  [
    'putEventType',
    '/name',
    ['a', 'a.b', `a.${text(126)}`, 'a_1.b_2.c_3'],
    [`a.${text(127)}`, '', 'A.b', 'a.', '.a', 'a..b', 'a.*', '*', 'a b.c', 'a.b\n'],
  ],
  ['putEventType', '/description', [text(1), text(500)], ['', text(501), null]],
  ['putEventType', '/schema', [{}, null], [[], 'text', true]],
  ['putEventType', '/example', [{}], [[], null, 'text']],
  ['eventTypeName', '/name', [text(1), text(128)], ['', text(129)]],
  ['createKey', '/name', [text(1), text(100)], ['', text(101), null]],
  ['createKey', '/scopes', [['keys:admin']], [[], 'keys:admin', null]],
  ['createKey', '/scopes/0', [['payloads:read']], [['everything'], [''], [null]]],
  ['createKey', '/expires_in', ['90d', '1ms'], ['', '90', '90 d', '-1d', '1000000000000d', null]],
];

describe('limits', () => {
  it.each(edges)('%s %s', (name, path, ok, refused) => {
    const [field = ''] = path.slice(1).split('/');
    const given = (value: unknown) => ({ ...smallest[name], [field]: value });
    expect(ok.filter((value) => !accepts(name, given(value)))).toEqual([]);
    for (const value of refused) expect(refusedPaths(name, given(value))).toEqual([path]);
  });

  it('are pinned', () => {
    expect(limits).toEqual({
      urlCharactersMax: 2_048,
      descriptionCharactersMax: 500,
      automationsPerWorkspaceMax: 1_000,
      actionsPerAutomationMax: 10,
      conditionCharactersMax: 2_048,
      eventsPerSubscriptionMax: 100,
      eventTypeCharactersMax: 128,
      secretCharactersMin: 8,
      secretCharactersMax: 256,
      eventBytesMax: 262_144,
      eventsPerPublishMax: 1_000,
      requestBytesMax: 5_242_880,
      pageSizeDefault: 50,
      pageSizeMax: 200,
      endpointsPerWorkspaceMax: 10_000,
      replayDeliveriesMax: 10_000,
      idempotencyKeyCharactersMax: 255,
      nameCharactersMax: 100,
      dataDepthMax: 100,
      fieldErrorsMax: 100,
    });
  });

  it('are the same for a secret here and in the rule that judges it', () => {
    expect(secretFault(text(limits.secretCharactersMin))).toBeNull();
    expect(secretFault(text(limits.secretCharactersMin - 1))).not.toBeNull();
    expect(secretFault(text(limits.secretCharactersMax))).toBeNull();
    expect(secretFault(text(limits.secretCharactersMax + 1))).not.toBeNull();
  });

  it('hold for every list: 50 when nothing is said', () => {
    const pageSizes = names.flatMap((name) => ('limit' in inputs[name].shape ? [[name, limitOf(name)]] : []));
    expect(Object.fromEntries(pageSizes)).toEqual({
      listAudit: 50,
      listSubscriptions: 50,
      listConfigs: 50,
      listConfigAttempts: 50,
      listAutomations: 50,
      listAllAttempts: 50,
      listAttempts: 50,
      listEvents: 50,
      listEventTypes: 50,
      listDeliveries: 50,
      listKeys: 50,
    });
  });
});

function limitOf(name: Name): unknown {
  const parsed: Record<string, unknown> = parseInput(inputs[name], smallest[name]);
  return parsed['limit'];
}

describe('times', () => {
  const occurred = (occurredAt: string) => accepts('publish', { ...smallest.publish, occurred_at: occurredAt });

  it.each([
    '2026-11-23T10:00:00Z',
    '2026-11-23T10:00Z',
    '2026-11-23T10:00:00.1Z',
    '2026-11-23T10:00:00.123456789Z',
    '2026-11-23T10:00:00+10:30',
    '2026-11-23T10:00:00-08:00',
    '2028-02-29T23:59:59Z',
    '1970-01-01T00:00:00Z',
    '9999-12-31T23:59:59Z',
  ])('%s is one', (time) => {
    expect(occurred(time)).toBe(true);
  });

  it.each([
    '',
    '2026-11-23',
    '2026-11-23T10:00:00',
    '2026-11-23 10:00:00Z',
    '2026-11-23t10:00:00z',
    '2026-11-23T10Z',
    '2026-13-23T10:00:00Z',
    '2026-00-23T10:00:00Z',
    '2026-11-32T10:00:00Z',
    '2026-11-23T25:00:00Z',
    '2026-11-23T10:60:00Z',
    '2026-11-23T10:00:60Z',
    '2026-11-23T10:00:00+25:00',
    '2026-11-23T10:00:00+1000',
    '2026-11-23T10:00:00.Z',
    '2026-11-23T10:00:00.1234567890Z',
    '+002026-11-23T10:00:00Z',
    'Mon, 23 Nov 2026 10:00:00 GMT',
    '1790000000',
    ' 2026-11-23T10:00:00Z',
    '2026-11-23T10:00:00Z\n',
  ])('%j is none', (time) => {
    expect(occurred(time)).toBe(false);
  });

  it.each(['2026-02-30T10:00:00Z', '2026-02-29T10:00:00Z', '2026-04-31T10:00:00Z'])(
    '%s, a day that never comes, is none',
    (time) => {
      expect(occurred(time)).toBe(false);
    },
  );

  it('are those that can be shown again: whatever the zone, the year has four digits', () => {
    expect(occurred('9999-12-31T23:59:59-00:01')).toBe(false);
    expect(occurred('0000-01-01T00:00:00+00:01')).toBe(false);
  });
});

describe('the data of an event', () => {
  it('stays the very object that came in, with whatever keys it has', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.oneof(fc.string(), fc.constant('__proto__')), fc.jsonValue()), (data) => {
        const given: unknown = JSON.parse(JSON.stringify(data));
        const parsed: Inputs['publish'] = parseInput(inputs.publish, { type: 'a.b', data: given });
        expect(parsed.data).toBe(given);
      }),
    );
    const tricky: unknown = JSON.parse('{"type":"a.b","data":{"__proto__":{"admin":true},"constructor":1}}');
    expect(JSON.stringify(parseInput(inputs.publish, tricky).data)).toBe(
      '{"__proto__":{"admin":true},"constructor":1}',
    );
  });
});

describe('what a refusal says', () => {
  it('names every wrong field at once, below where the input stands', () => {
    const fault = faultOf(inputs.publish, { type: '', data: [], id: 'a b', extra: 1 }, '/17');
    expect(pathsOf(fault.errors).toSorted()).toEqual(['/17/data', '/17/extra', '/17/id', '/17/type']);
    expect(fault.message).toMatch(/^\/17\/\w+: .* \(and 3 more\)$/);
  });

  it('names one wrong field alone', () => {
    expect(faultOf(inputs.none, { extra: 1 }).message).toBe('/extra: is not a field of this request');
    const two = faultOf(inputs.none, { extra: 1, more: 1 });
    expect(two.message).toBe('/extra: is not a field of this request (and 1 more)');
  });

  it.each([
    ['createKey', {}, ['/name is missing', '/scopes is missing']],
    ['createKey', { name: '', scopes: [] }, ['/name must not be empty', '/scopes needs at least one']],
    ['createKey', { name: 5, scopes: 'all' }, ['/name must be a text', '/scopes must be a list']],
    ['createKey', { name: text(101), scopes: [] }, ['/name must have at most 100 characters']],
    ['listKeys', { limit: 0 }, ['/limit must be at least 1']],
    ['listKeys', { limit: 201 }, ['/limit must be at most 200']],
    ['listKeys', { limit: 1.5 }, ['/limit must be a whole number']],
    ['listAllAttempts', { status: 'lost' }, ['/status must be one of succeeded, failed']],
    ['listAllAttempts', { since: 'x' }, ['/since use ISO 8601 with a zone, such as 2026-11-23T10:00:00Z']],
    ['listAllAttempts', { is_test: 1 }, ['/is_test must be true or false']],
  ] as const)('is said in words: %s %j', (name, input, sentences) => {
    const said = faultOf(inputs[name], input).errors.map(({ path, message }) => `${path} ${message}`);
    expect(said).toEqual(expect.arrayContaining([...sentences]));
  });

  it('speaks of the body where no field is to blame', () => {
    expect(faultOf(inputs.publish, 'text').message).toMatch(/^The body: /);
  });

  it('repeats no value, which could be a secret', () => {
    const input = { ...smallest.createSubscription, secret: `canary${text(256)}`, url: 5, events: 'canary' };
    const fault = faultOf(inputs.createSubscription, input);
    expect(JSON.stringify([fault.message, fault.errors])).not.toContain('canary');
  });

  it('cuts long names of fields', () => {
    const [error] = faultOf(inputs.none, { [text(5_000)]: 1 }).errors;
    expect(error?.path).toBe(`/${text(100)}`);
  });

  it('names a bounded number of fields, however many are wrong', () => {
    const many = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`k${index}`, 1]));
    expect(faultOf(inputs.publish, many).errors.length).toBeLessThanOrEqual(1_000);
  });

  it('is a refusal and nothing else, whatever comes in', () => {
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.jsonValue(), (name, input) => {
        const fault = accepts(name, input) ? null : faultOf(inputs[name], input);
        expect(fault === null || fault.errors.length > 0).toBe(true);
      }),
    );
  });
});
