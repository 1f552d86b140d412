import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { advertise } from '../../src/mcp/advertise.ts';
import { chooseTools, defaultToolGroups, tools } from '../../tools/index.ts';

const goldenFolder = new URL('golden/', import.meta.url);
/** Set it to 1 to write the golden files anew; then run the formatter and read the difference before committing it. */
const updates = process.env['UPDATE_GOLDEN'] === '1';

describe.each(tools.map((tool) => ({ name: tool.name, tool })))('$name', ({ name, tool }) => {
  const listed = advertise(tool);

  it('is listed as its golden file says', () => {
    const file = new URL(`${name}.json`, goldenFolder);
    const text = `${JSON.stringify(listed, null, 2)}\n`;
    if (updates) writeFileSync(file, text);
    expect(JSON.parse(text)).toEqual(JSON.parse(readFileSync(file, 'utf8')));
  });

  it('has a title, a description and all four annotations', () => {
    expect(listed.title).toMatch(/^[A-Z]/);
    expect(listed.description?.length).toBeGreaterThan(80);
    const hints = Object.keys(listed.annotations ?? {}).sort();
    expect(hints).toEqual(['destructiveHint', 'idempotentHint', 'openWorldHint', 'readOnlyHint']);
  });

  it('refuses arguments that it does not know', () => {
    expect(listed.inputSchema).toMatchObject({ type: 'object', additionalProperties: false });
    expect(tool.input.safeParse({ nonsense: true }).error?.issues).toContainEqual(
      expect.objectContaining({ code: 'unrecognized_keys', keys: ['nonsense'] }),
    );
  });

  it('speaks of no tool that does not exist', () => {
    const known = new Set(tools.map((one) => one.name));
    const mentioned = listed.description?.match(
      /\b(?:create|list|get|update|delete|test|rotate|replay|retry|publish)_[a-z_]+/g,
    );
    expect((mentioned ?? []).filter((word) => !known.has(word))).toEqual([]);
  });
});

describe('the set of tools', () => {
  it('has one file for each tool, named as the tool', () => {
    const files = readdirSync(new URL('../../tools/', import.meta.url)).filter((file) => /_/.test(file));
    expect(files.sort()).toEqual(tools.map(({ name }) => `${name}.ts`).sort());
  });

  it('has no golden file of a tool that is gone', () => {
    expect(readdirSync(goldenFolder).sort()).toEqual(tools.map(({ name }) => `${name}.json`).sort());
  });

  it('costs fewer than 6,000 tokens in its default groups', () => {
    const characters = JSON.stringify(chooseTools(defaultToolGroups, false).map(advertise)).length;
    const tokens = characters / 4;
    expect(tokens).toBeLessThan(6_000);
  });

  it('says true things about what changes something and what reaches out', () => {
    const named = (wanted: (annotations: (typeof tools)[number]['annotations']) => boolean) =>
      tools.filter(({ annotations }) => wanted(annotations)).map(({ name }) => name);
    expect(named((hints) => hints.readOnlyHint)).toEqual([
      'list_webhook_subscriptions',
      'list_webhook_subscription_logs',
      'get_webhook_subscription',
      'list_event_types',
      'list_events',
      'get_event',
      'list_webhook_configs',
      'get_webhook_config',
      'list_webhook_config_logs',
      'list_automations',
    ]);
    expect(named((hints) => hints.destructiveHint)).toEqual([
      'update_webhook_subscription',
      'delete_webhook_subscription',
      'rotate_webhook_secret',
      'update_webhook_config',
      'delete_webhook_config',
      'update_automation',
      'delete_automation',
    ]);
    expect(named((hints) => hints.openWorldHint)).toEqual([
      'create_webhook_subscription',
      'update_webhook_subscription',
      'test_webhook_subscription',
      'replay_webhook_deliveries',
      'retry_webhook_delivery',
      'publish_event',
      'create_webhook_config',
      'update_webhook_config',
      'test_webhook_config',
      'create_automation',
      'update_automation',
    ]);
    expect(named((hints) => !hints.idempotentHint)).toEqual([
      'create_webhook_subscription',
      'test_webhook_subscription',
      'rotate_webhook_secret',
      'replay_webhook_deliveries',
      'retry_webhook_delivery',
      'publish_event',
      'create_webhook_config',
      'test_webhook_config',
      'create_automation',
    ]);
  });

  it('leaves out other groups, and in read-only mode whatever changes something', () => {
    expect(chooseTools(['events'], false).map(({ name }) => name)).toEqual([
      'list_event_types',
      'publish_event',
      'list_events',
      'get_event',
    ]);
    expect(chooseTools(['events'], true).map(({ name }) => name)).toEqual([
      'list_event_types',
      'list_events',
      'get_event',
    ]);
    expect(chooseTools([], false)).toEqual([]);
  });
});
