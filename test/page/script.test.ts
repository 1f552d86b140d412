import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type Rest, startRest, subscriptions } from '../contract/rest.ts';
import { type Browser, startBrowser } from './browser.ts';
import { signIn } from './workspace.ts';

/** What the page's own script does, in a real browser whose reader lives in Berlin. */

let rest: Rest;
let browser: Browser;
beforeAll(async () => {
  [rest, browser] = await Promise.all([startRest(), startBrowser()]);
}, 60_000);
afterAll(async () => {
  await browser?.close();
  await rest?.close();
});

async function open(path: string, prepare?: (profile: BrowserContext) => Promise<unknown>): Promise<Page> {
  const profile = await browser.profile();
  onTestFinished(() => profile.close());
  profile.setDefaultTimeout(8_000);
  await prepare?.(profile);
  await signIn(profile, rest.base);
  const page = await profile.newPage();
  await page.goto(rest.base + path);
  return page;
}

describe('the button that copies', () => {
  /** As a browser is over plain http under any name but loopback ones. */
  const insecure = (copies: boolean) => (profile: BrowserContext) =>
    profile.addInitScript(`
      Object.defineProperty(navigator, 'clipboard', { value: undefined });
      if (!${copies}) document.execCommand = () => false;`);

  it.each([
    [true, 'Copied'],
    [false, 'Selected: copy it'],
  ])('selects the text where the browser gives no clipboard, and says so (%s)', async (copies, said) => {
    const page = await open('/auto/automations', insecure(copies));
    const text = await page.textContent('.copy pre');
    await page.click('[data-copy]');
    expect(await page.textContent('[data-copy]')).toBe(said);
    expect(text).toContain('curl');
    expect(await page.evaluate('getSelection().toString()')).toBe(text);
  });
});

describe('the times of a filter', () => {
  it('are the reader’s own, in winter and summer, and stay what they were', async () => {
    const page = await open('/data/webhooks?since=2026-11-23T09:30&until=2026-11-24T09:00:01Z');
    const read = () =>
      page
        .locator('[type=datetime-local]')
        .evaluateAll((all) => all.map((one) => (one as never as { value: string }).value));
    expect(await read()).toEqual(['2026-11-23T10:30', '2026-11-24T10:00:01']);
    expect(await page.innerText('label:has([name=since]) small')).toBe('your time');
    await page.click('button:has-text("Filter")');
    await page.waitForURL(/since=2026-11-23T09%3A30%3A00.000Z&until=2026-11-24T09%3A00%3A01.000Z/);
    expect(await read()).toEqual(['2026-11-23T10:30', '2026-11-24T10:00:01']);
    await page.fill('[name=since]', '2026-07-01T12:00');
    await page.fill('[name=until]', '');
    await page.click('button:has-text("Filter")');
    await page.waitForURL(/\?since=2026-07-01T10%3A00%3A00.000Z$/);
    expect(await read()).toEqual(['2026-07-01T12:00', '']);
  });
});

describe('the times of a diagnosis', () => {
  it('are shown as all others', async () => {
    rest.h.receiver.respond((_request, response) => response.writeHead(500).end());
    const { body } = await rest.subscribe();
    await rest.h.posthorn.startDispatcher();
    await rest.publish();
    await rest.logOf(body.id, 1);
    for (const path of ['/', `/settings/api/subscriptions/${body.id}`]) {
      const page = await open(path);
      const said = await page.innerText('.diagnosis');
      expect(said).toMatch(/ due at \d+ \w+, \d\d:\d\d:\d\d\. /);
      const at = await page.getAttribute('.diagnosis time', 'datetime');
      expect((await rest.ask('GET', `${subscriptions}/${body.id}`)).body.diagnosis).toContain(`due at ${at}.`);
    }
  });
});
