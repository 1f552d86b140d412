import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Rest, startRest } from '../contract/rest.ts';
import { type Browser, startBrowser } from './browser.ts';
import { signIn } from './workspace.ts';

/** A workspace that holds more of everything than one list shows. */

const manyCount = 205;
let rest: Rest;
let browser: Browser;
let profile: BrowserContext;
let page: Page;
/** Oldest first. */
const configIds: string[] = [];
const keyIds: string[] = [];

beforeAll(async () => {
  [rest, browser] = await Promise.all([startRest(), startBrowser()]);
  const { core, owner, receiver } = rest.h;
  for (let nth = 0; nth < manyCount; nth++) {
    const { id } = await core.createConfig(owner, { name: `Config ${nth}`, url: `${receiver.url}/${nth}` });
    configIds.push(id);
    keyIds.push((await core.createKey(owner, { name: `Key ${nth} of many`, scopes: ['events:write'] })).id);
  }
  profile = await browser.profile({ viewport: { width: 1280, height: 900 } });
  profile.setDefaultTimeout(8_000);
  await signIn(profile, rest.base);
  page = await profile.newPage();
}, 60_000);
afterAll(async () => {
  await browser?.close();
  await rest?.close();
});

describe('an automation', () => {
  const config = (nth: number) => configIds[nth] ?? '';
  const box = (nth: number) => page.locator(`input[value="${config(nth)}"]`);
  const called = async (id: string) =>
    (await rest.h.core.getAutomation(rest.h.owner, { automation_id: id })).actions.map(({ config_id }) => config_id);
  async function automation(...calls: number[]): Promise<string> {
    const actions = calls.map((nth) => ({ type: 'webhook', config_id: config(nth) }));
    return (await rest.ask('POST', '/v1/automations', { name: 'Mine', trigger_event: '*', actions })).body.id;
  }

  it('still calls its configs after it was saved, however old they are', async () => {
    const id = await automation(0, 204);
    await page.goto(`${rest.base}/auto/automations/${id}`);
    expect(await page.innerText(`label:has(input[value="${config(0)}"])`)).toContain('Config 0');
    await page.fill('#name', 'Renamed');
    await page.press('#name', 'Enter');
    await page.waitForSelector('.notice.good');
    expect(await page.inputValue('#name')).toBe('Renamed');
    expect(await called(id)).toEqual([config(0), config(204)]);
  });

  it('is led to every config, and keeps on the way what was typed and chosen', async () => {
    const id = await automation(204);
    await page.goto(`${rest.base}/auto/automations/${id}`);
    await page.fill('#name', 'Far away');
    await page.check(`input[value="${config(203)}"]`);
    while ((await box(1).count()) === 0) await page.click('text=Older configs');
    expect(await page.inputValue('#name')).toBe('Far away');
    await box(1).check();
    await page.click('text=Newest configs');
    expect(await box(1).isChecked()).toBe(true);
    await page.click('main form button.primary');
    await page.waitForSelector('.notice.good');
    expect(new Set(await called(id))).toEqual(new Set([config(1), config(203), config(204)]));
  });

  it('comes back filled in when its condition cannot be stored', async () => {
    await page.goto(`${rest.base}/auto/automations/new`);
    await page.fill('#name', 'Wrong');
    await page.fill('#trigger_event', '*');
    await page.fill('#conditions', 'data.value >');
    await page.check(`input[value="${config(204)}"]`);
    await page.click('main form button.primary');
    expect(await page.inputValue('#name')).toBe('Wrong');
    expect(await box(204).isChecked()).toBe(true);
  });
});

describe('a key', () => {
  it('is reached and revoked however old it is, and named before', async () => {
    await page.goto(`${rest.base}/settings/api`);
    const row = page.locator('.keys tr', { hasText: 'Key 0 of many' });
    while ((await row.count()) === 0) await page.click('#keys >> text=Older');
    await row.getByText('Revoke').click();
    expect(await page.textContent('dialog[open]')).toContain('Whatever uses Key 0 of many is refused');
    await page.click('dialog .danger');
    await page.waitForSelector('.notice.good');
    await page.goto(`${rest.base}/settings/api/keys/${keyIds[1]}/revoke`);
    expect(await page.textContent('main')).toContain('Key 1 of many');
  });
});

describe('the log', () => {
  it('of an endpoint that the filter has no room for names it, and keeps it when it is narrowed further', async () => {
    await page.goto(`${rest.base}/data/webhooks?endpoint_id=${configIds[0]}`);
    const chosen = () => page.locator('[name=endpoint_id] option:checked').textContent();
    expect(await chosen()).toBe('Config 0');
    await page.selectOption('[name=status]', 'failed');
    await page.waitForURL(/status=failed/);
    expect(await chosen()).toBe('Config 0');
  });
});
