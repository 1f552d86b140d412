import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Rest, startRest } from '../contract/rest.ts';
import { type Browser, startBrowser } from './browser.ts';
import { signIn } from './workspace.ts';

/** Names as long as they may be, without a space, on a desk and on a phone. */

const long = 'n'.repeat(100);
const widths = { desk: 1280, phone: 390 };
let rest: Rest;
let browser: Browser;
const pages: Partial<Record<keyof typeof widths, Page>> = {};
let automation = '';

beforeAll(async () => {
  [rest, browser] = await Promise.all([startRest(), startBrowser()]);
  const { core, owner, receiver } = rest.h;
  const { id } = await core.createConfig(owner, { name: long, url: `${receiver.url}/${long}`, trigger_events: ['*'] });
  await core.createConfig(owner, { name: `${long.slice(1)}2`, url: receiver.url, trigger_events: [] });
  const actions = [{ type: 'webhook', config_id: id }];
  automation = (await core.createAutomation(owner, { name: long, trigger_event: '*', actions })).id;
  await core.createKey(owner, { name: long, scopes: ['webhooks:read', 'webhooks:write', 'webhooks:delete'] });
  await core.putEventType(owner, { name: 'long.type', description: long.repeat(5), example: {} });
  // Due, as nothing delivers.
  await core.publish(owner, { type: 'long.type', data: {} });
  for (const [name, width] of Object.entries(widths)) {
    const profile = await browser.profile({ viewport: { width, height: 900 } });
    profile.setDefaultTimeout(8_000);
    await signIn(profile, rest.base);
    pages[name as keyof typeof widths] = await profile.newPage();
  }
}, 60_000);
afterAll(async () => {
  await browser?.close();
  await rest?.close();
});

async function shown(on: keyof typeof widths, path: string): Promise<Page> {
  const page = pages[on];
  if (page === undefined) throw new Error('no page');
  await page.goto(rest.base + path);
  return page;
}

/** What of these is wider than the room that it has. */
function cut(page: Page, selector: string): Promise<string[]> {
  return page
    .locator(selector)
    .evaluateAll((all) =>
      all.filter((one) => one.scrollWidth > one.clientWidth).map((one) => `${one.tagName} ${one.textContent}`),
    );
}

const everywhere = Object.keys(widths) as (keyof typeof widths)[];

describe.each(everywhere)('on a %s', (on) => {
  it('every key can be revoked, whatever its name', async () => {
    const page = await shown(on, '/settings/api');
    const button = page.locator('.keys .button').first();
    const box = await button.boundingBox();
    expect((box?.x ?? Infinity) + (box?.width ?? 0)).toBeLessThanOrEqual(widths[on]);
    const padding = await page.evaluate(
      'parseFloat(getComputedStyle(document.querySelector(".keys .button")).paddingLeft)',
    );
    expect(padding).toBeGreaterThanOrEqual(8);
    await button.click();
    await page.waitForSelector('dialog[open]');
  });

  it('no page is wider than the window, and no name runs over another', async () => {
    for (const path of ['/auto/automations', `/auto/automations/${automation}`, '/data/event-types/long.type']) {
      const page = await shown(on, path);
      expect([path, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([path, widths[on]]);
      expect([path, await cut(page, 'main > p, .checks span')]).toEqual([path, []]);
    }
  });
});

describe('a phone', () => {
  it('wraps what a desk has room for', async () => {
    for (const path of ['/', '/settings/api', '/auto/automations', `/auto/automations/${automation}`]) {
      const page = await shown('phone', path);
      expect([path, await cut(page, '.figure dd, .endpoints .what > *, .endpoints .how, .keys td')]).toEqual([
        path,
        [],
      ]);
    }
  });

  it('says what stands in each line of a key', async () => {
    const page = await shown('phone', '/settings/api');
    const labels = await page.evaluate(
      '[...document.querySelectorAll(".keys tr:last-child td")].map((one) => getComputedStyle(one, "::before").content)',
    );
    expect(labels).toEqual(['none', '"Key: "', '"Scopes: "', '"Last used: "', 'none']);
  });
});

/** The contrast of two colours as `rgb(1, 2, 3)`, as WCAG 2 has it. */
function contrast(...colours: [string, string]): number {
  const [dark = 0, light = 0] = colours
    .map((colour) => {
      const [red = 0, green = 0, blue = 0] = (colour.match(/\d+/g) ?? []).map((part) => {
        const share = Number(part) / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    })
    .toSorted((one, other) => one - other);
  return (light + 0.05) / (dark + 0.05);
}

it.each(['light', 'dark'] as const)('placeholders can be read, %s', async (colorScheme) => {
  const page = await shown('desk', '/auto/automations/new');
  await page.emulateMedia({ colorScheme });
  const colour = (of: string, name: string) =>
    page.evaluate<string>(`getComputedStyle(document.querySelector('#trigger_event'), ${of}).${name}`);
  const ratio = contrast(await colour("'::placeholder'", 'color'), await colour('null', 'backgroundColor'));
  expect(ratio).toBeGreaterThanOrEqual(4.5);
});
