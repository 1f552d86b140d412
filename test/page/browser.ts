import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import chromium from '@sparticuz/chromium';
import { type BrowserContext, chromium as playwright } from 'playwright-core';

/** Everything that would make it talk to anybody but us, or wait for it. */
const quiet = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
];

export interface Browser {
  /** A browser profile of its own: its own cookies. */
  profile(
    options?: Parameters<Awaited<ReturnType<typeof playwright.launch>>['newContext']>[0],
  ): Promise<BrowserContext>;
  close(): Promise<void>;
}

/** Chromium from npm, headless. */
export async function startBrowser(): Promise<Browser> {
  const home = mkdtempSync(join(tmpdir(), 'posthorn-browser-'));
  const browser = await playwright.launch({
    executablePath: await chromium.executablePath(),
    headless: true,
    args: quiet,
    env: { ...process.env, HOME: home },
  });
  return {
    profile: (options = {}) => browser.newContext({ locale: 'en-GB', timezoneId: 'Europe/Berlin', ...options }),
    async close() {
      await browser.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}
