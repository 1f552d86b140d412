import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BrowserContext } from 'playwright-core';
import { startBrowser } from '../test/page/browser.ts';
import { liveWorkspace, signIn } from '../test/page/workspace.ts';

/** Pictures of every page on a lively workspace, at the width of a desk and of a phone: `npm run screenshots`. */

const folder = join(import.meta.dirname, 'screenshots');
const widths = { desktop: { width: 1240, height: 720 }, phone: { width: 390, height: 760 } };

const live = await liveWorkspace();
const browser = await startBrowser();
try {
  for (const [name, viewport] of Object.entries(widths)) {
    const profile = await browser.profile({ viewport, colorScheme: 'light' });
    await shoot(profile, name);
    await profile.close();
  }
  const dark = await browser.profile({ viewport: widths.desktop, colorScheme: 'dark' });
  await signIn(dark, live.url);
  await picture(dark, '/', 'overview-dark');
  await dark.close();
} finally {
  await browser.close();
  await live.close();
}

async function shoot(profile: BrowserContext, width: string): Promise<void> {
  await picture(profile, '/sign-in', `sign-in-${width}`);
  await signIn(profile, live.url);
  // A config's page is a subscription's with other fields.
  const { config: _config, ...pages } = live.pages;
  for (const [name, path] of Object.entries(pages)) await picture(profile, path, `${name}-${width}`);
}

async function picture(profile: BrowserContext, path: string, name: string): Promise<void> {
  const page = await profile.newPage();
  await page.goto(live.url + path);
  writeFileSync(join(folder, `${name}.png`), await page.screenshot({ fullPage: name.startsWith('overview') }));
  await page.close();
}
