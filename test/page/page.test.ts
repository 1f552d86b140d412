import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../support/until.ts';
import { type Browser, startBrowser } from './browser.ts';
import { adminKey, liveWorkspace, type LiveWorkspace, signIn } from './workspace.ts';

/** The page in a real browser: one browser and one workspace for all of it. */

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
let live: LiveWorkspace;
let browser: Browser;
/** What a browser complained of, on any page. */
const complaints: string[] = [];

beforeAll(async () => {
  [live, browser] = await Promise.all([liveWorkspace(6), startBrowser()]);
}, 60_000);
afterAll(async () => {
  await browser?.close();
  await live?.close();
});

async function visitor(options: Parameters<Browser['profile']>[0] = {}, key = adminKey): Promise<BrowserContext> {
  const profile = await browser.profile({ viewport: { width: 1280, height: 900 }, ...options });
  profile.on('console', (message) => {
    if (/Content Security Policy|Refused to/i.test(message.text())) complaints.push(message.text());
  });
  profile.setDefaultTimeout(8_000);
  profile.on('weberror', (error) => complaints.push(String(error.error())));
  await signIn(profile, live.url, key);
  return profile;
}

async function seriousFindings(page: Page): Promise<string[]> {
  // Past the page's policy, as a tool of developers is.
  await page.evaluate(axe);
  const found = await page.evaluate(async () => {
    const run = (
      globalThis as unknown as {
        axe: { run(): Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }> };
      }
    ).axe;
    return (await run.run()).violations;
  });
  return found
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes[0]?.html.slice(0, 160)}`);
}

describe('the pages', () => {
  it('have no serious finding of axe in both themes, and fit a phone', async () => {
    const profile = await visitor({ viewport: { width: 390, height: 844 } });
    const page = await profile.newPage();
    const faults: string[] = [];
    for (const [name, path] of Object.entries(live.pages)) {
      const answer = await page.goto(live.url + path);
      if (answer?.status() !== 200) faults.push(`${name} answers ${answer?.status()}`);
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        faults.push(...(await seriousFindings(page)).map((finding) => `${name}, ${colorScheme}: ${finding}`));
      }
      const over = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
      if (over !== 0) faults.push(`${name} is ${String(over)} px too wide for a phone`);
      const section = await page.locator('.side nav [aria-current]').boundingBox();
      if (section === null || section.x < 0 || section.x + section.width > 390) faults.push(`${name}: where am I?`);
    }
    await profile.close();
    expect(faults).toEqual([]);
  }, 60_000);
});

describe('the story', () => {
  it('goes from a config to an endpoint that failed and is brought back', async () => {
    const { receiver } = live.h;
    const profile = await visitor();
    const page = await profile.newPage();

    await page.goto(`${live.url}/settings/api/configs/new`);
    await page.fill('#name', 'Story');
    await page.fill('#url', `${receiver.url}/story`);
    await page.fill('#headers', 'X-Own: secret-of-mine');
    await page.click('main form button.primary');
    expect(await page.textContent('main')).toContain('whsec_');
    await page.click('text=Send it a test');
    await page.click('button:has-text("Send a test")');
    await page.waitForSelector('#test-result .good');
    expect(await page.content()).not.toContain('secret-of-mine');
    const config = page.url().split('/').at(-1)?.split('?')[0] ?? '';

    await page.goto(`${live.url}/auto/automations/new`);
    await page.fill('#name', 'Story');
    await page.fill('#trigger_event', 'call.missed');
    await page.fill('#conditions', 'data.urgent == true');
    await page.waitForSelector('#dry-run strong');
    expect(await page.innerText(`label:has(input[value="${config}"])`)).toBe(`Story\n${config}`);
    await page.check(`input[value="${config}"]`);
    await page.click('main form button.primary');
    await page.waitForSelector('.notice.good');

    const logs = await profile.newPage();
    await logs.goto(`${live.url}/data/webhooks?endpoint_id=${config}&kind=live`);
    expect(await logs.textContent('#none')).toContain('Nothing fits');
    await page.goto(`${live.url}/data/event-types/call.missed`);
    await page.fill('#data', '{"urgent": true}');
    await page.click('main button:has-text("Publish")');
    await page.waitForURL(/\/data\/events\//);
    await until(async () => {
      live.h.clock.advance(1_000);
      return (await logs.locator('#rows tr').count()) > 0;
    });
    expect(await logs.textContent('#rows')).toContain('call.missed');
    await logs.click('#rows a');
    await logs.waitForSelector('.timeline .good');
    expect(await logs.textContent('main')).toContain('"urgent": true');
    await profile.close();
  });

  it('tells why an endpoint was disabled, and enables and replays with the number shown before', async () => {
    const profile = await visitor();
    const page = await profile.newPage();
    live.h.receiver.respond((_request, response) => response.writeHead(200).end());
    await page.goto(live.url);
    expect(await page.textContent('.trouble')).toContain('It is disabled after');
    await page.click('.trouble >> text=Enable and replay');
    const label = (await page.textContent('dialog .primary')) ?? '';
    expect(label).toMatch(/^Enable and replay \d+ events?$/);
    await page.click('dialog .primary');
    await page.waitForSelector('.notice.good');
    expect(await page.textContent('.notice.good')).toContain(`${/\d+/.exec(label)?.[0]} event`);
    const before = live.h.receiver.requests.length;
    await until(() => {
      live.h.clock.advance(1_000);
      return live.h.receiver.requests.length > before;
    });
    await profile.close();
  });
});

describe('a sign-in', () => {
  it('that expires in the middle of a form brings the form back filled, and sends nothing by itself', async () => {
    const profile = await visitor();
    const page = await profile.newPage();
    await page.goto(`${live.url}/settings/api/subscriptions/new`);
    await page.fill('#url', 'https://example.com/kept');
    await page.fill('#events', 'contact.*\nform.submitted');
    await profile.clearCookies();
    await page.click('main form button.primary');
    await page.fill('#key', adminKey);
    await page.click('button.primary');
    expect(await page.inputValue('#url')).toBe('https://example.com/kept');
    expect(await page.inputValue('#events')).toBe('contact.*\nform.submitted');
    expect(await page.textContent('main')).toContain('It has not been sent yet');
    await profile.close();
  });

  it('ends with the key, at the next request', async () => {
    const { key, id } = await live.h.core.createKey(live.h.owner, { name: 'short', scopes: ['webhooks:read'] });
    const profile = await visitor({}, key);
    const page = await profile.newPage();
    await live.h.core.revokeKey(live.h.owner, { key_id: id });
    const answer = await page.goto(`${live.url}/data/webhooks`);
    expect(answer?.status()).toBe(401);
    const { value = '' } = (await profile.cookies())[0] ?? {};
    expect(value).not.toContain(key);
    await profile.close();
  });

  it('without scopes sees pages that name the scope, and no button of what it may not do', async () => {
    const { key } = await live.h.core.createKey(live.h.owner, { name: 'events only', scopes: ['events:write'] });
    const profile = await visitor({}, key);
    const page = await profile.newPage();
    for (const path of ['/', '/data/webhooks', '/data/events', '/auto/automations']) {
      await page.goto(live.url + path);
      expect(await page.textContent('main')).toMatch(/This needs the scope \w+:read/);
    }
    await page.goto(`${live.url}/settings/api`);
    expect(await page.locator('main a.primary').count()).toBe(0);
    await profile.close();
  });
});

describe('text of others', () => {
  it('is text: no script runs, and nothing invisible turns a line around', async () => {
    const { core, owner, receiver } = live.h;
    const evil = `"><img src=x onerror="window.hit=1"><script>window.hit=1</script>\u202egnp.exe`;
    await core.createSubscription(owner, {
      url: `${receiver.url}/?q="><script>window.hit=1</script>`.replaceAll(/["<>]/g, encodeURIComponent),
      events: ['*'],
      description: evil,
    });
    const config = await core.createConfig(owner, { name: evil, url: `${receiver.url}/x` });
    await core.createAutomation(owner, {
      name: evil,
      trigger_event: 'call.started',
      actions: [{ type: 'webhook', config_id: config.id }],
    });
    await core.createKey(owner, { name: evil, scopes: ['events:read'] });
    await core.putEventType(owner, { name: 'evil.type', description: evil, example: { evil } });
    const { published } = await core.publish(owner, { type: 'evil.type', data: { [evil]: evil } });
    const profile = await visitor();
    const page = await profile.newPage();
    const paths = [
      '/',
      '/settings/api',
      `/settings/api/configs/${config.id}`,
      '/auto/automations',
      `/data/events/${published.id}`,
      '/data/event-types',
      '/data/event-types/evil.type',
      `/data/webhooks?event_type=${encodeURIComponent(evil)}&since=${encodeURIComponent(evil)}`,
    ];
    for (const path of paths) {
      await page.goto(live.url + path);
      expect([path, await page.evaluate(() => (globalThis as { hit?: number }).hit ?? 0)]).toEqual([path, 0]);
      expect([path, await page.locator('img, main script').count()]).toEqual([path, 0]);
      expect([path, (await page.textContent('main'))?.includes('\u202e')]).toEqual([path, false]);
    }
    expect(await page.textContent('body')).not.toBe('');
    await page.goto(`${live.url}/settings/api`);
    expect(await page.textContent('main')).toContain('\\u202egnp.exe');
    await profile.close();
  });
});

describe('the policy', () => {
  it('was broken by nothing that came before', () => {
    expect(complaints).toEqual([]);
  });
});
