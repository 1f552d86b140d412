import Database from 'better-sqlite3';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Rest, startRest } from '../contract/rest.ts';
import { until } from '../support/until.ts';
import { type Browser, startBrowser } from './browser.ts';
import { signIn } from './workspace.ts';

/** The log that goes on by itself, in a real browser. */

let rest: Rest;
let browser: Browser;
let page: Page;
let endpoint = '';

beforeAll(async () => {
  [rest, browser] = await Promise.all([startRest(), startBrowser()]);
  endpoint = (await rest.subscribe()).body.id;
  await rest.h.posthorn.startDispatcher();
  const profile = await browser.profile({ viewport: { width: 1280, height: 900 } });
  profile.setDefaultTimeout(8_000);
  await signIn(profile, rest.base);
  page = await profile.newPage();
});
afterAll(async () => {
  await browser?.close();
  await rest?.close();
});

/** Ids of attempts, newest first: all that were recorded. */
async function recorded(): Promise<string[]> {
  const { data } = await rest.h.core.listLogs(rest.h.owner, { endpoint_id: endpoint, limit: 200 });
  return data.map(({ id }) => id);
}

/** Until there are so many more. */
async function deliver(events: number): Promise<void> {
  const wanted = (await recorded()).length + events;
  const one = { type: 'contact.created', data: {} };
  await rest.h.core.publishMany(
    rest.h.owner,
    Array.from({ length: events }, () => one),
  );
  await until(async () => (await recorded()).length === wanted);
}

const shown = async () => page.locator('#rows tr').evaluateAll((rows) => rows.map(({ id }) => id));

describe('the live log', () => {
  it('has no gap when more comes than it holds: what gave way begins the next page', async () => {
    await deliver(3);
    await page.goto(`${rest.base}/data/webhooks`);
    await deliver(120);
    const all = await recorded();
    await until(async () => (await shown())[0] === all[0]);
    const live = await shown();
    expect(live).toEqual(all.slice(0, 100));
    await page.click('text=Older');
    expect(await shown()).toEqual(all.slice(100, 150));
  });

  it('shows a row that becomes visible after a later one, and leaves the focus where it was', async () => {
    await deliver(3);
    const [, late = '', focused = ''] = await recorded();
    const db = new Database(rest.h.databaseUrl.replace('file:', ''));
    const row = Number.parseInt(late.slice(4), 32);
    const kept = db.prepare<[number], Record<string, unknown>>('select * from attempts where id = ?').get(row) ?? {};
    const columns = Object.keys(kept);
    db.prepare('delete from attempts where id = ?').run(row);
    await page.goto(`${rest.base}/data/webhooks`);
    await page.focus(`#${focused} a`);
    expect(await shown()).not.toContain(late);
    const insert = `insert into attempts (${columns.join(', ')}) values (${columns.map((name) => `@${name}`).join(', ')})`;
    db.prepare(insert).run(kept);
    db.close();
    await until(async () => (await shown()).includes(late));
    expect((await shown()).slice(0, 3)).toEqual((await recorded()).slice(0, 3));
    expect(await page.evaluate('document.activeElement.closest("tr")?.id')).toBe(focused);
  });

  it('is asked for nothing that it has', async () => {
    await deliver(1);
    await page.goto(`${rest.base}/data/webhooks`);
    const answer = await page.waitForResponse(/\/rows\?/);
    expect(answer.status()).toBe(204);
  });
});
