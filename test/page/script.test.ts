import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type Rest, startRest } from '../contract/rest.ts';
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
