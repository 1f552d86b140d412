import type { Attempt } from '../../../core/types.ts';
import { html, type Html } from '../html.ts';
import { configs, type Endpoint, type Kind, subscriptions } from '../kinds.ts';
import { attemptTable, figure, many, testResult } from '../parts/attempts.ts';
import { endpointBadge } from '../parts/badge.ts';
import { askBody, asking, button, input, tellBody } from '../parts/form.ts';
import { doneNotice, problemNotice } from '../parts/notice.ts';
import { count, time, withTimes } from '../parts/time.ts';
import { type Action, type Given, mayI, nothingGiven, type View, type Visit } from '../visit.ts';
import { createAction, endpointFields, endpointInput, newEndpointView } from './endpoint-form.ts';
import { secretPage } from './secret.ts';

const recentMax = 10;

function endpointView(kind: Kind): View {
  return {
    path: `${kind.base}/:id`,
    async show(visit, given) {
      const one = await kind.get(visit);
      const path = `${kind.base}/${one.id}`;
      const log = await visit.core.listLogs(visit.principal, { endpoint_id: one.id, limit: recentMax });
      const body = html`<p class="crumbs"><a href="/settings/api#${kind.base.split('/').at(-1)}">Webhooks</a></p>
<div class="head"><h1 class="long" title="${one.url}">${one.title}</h1>${endpointBadge(one)}<span class="push"></span>${statusButtons(visit, one, path)}</div>
${doneNotice(visit.query)}${problemNotice(given.problem)}
<p class="diagnosis card ${one.failing_since === null && one.status === 'active' ? '' : 'trouble'}"><span>${withTimes(one.diagnosis)}</span></p>
<dl class="figures">${figure('Failures in a row', count(one.failure_count), one.failing_since === null ? '' : html`since ${time(one.failing_since)}`)}${figure('Waiting', count(one.pending_count), one.next_attempt_at === null ? '' : html`next ${time(one.next_attempt_at)}`)}${figure('Last delivered', time(one.last_delivered_at, 'never'))}${figure('Last answer', one.last_response_code === null ? '–' : `HTTP ${one.last_response_code}`, one.last_attempt_at === null ? '' : time(one.last_attempt_at))}</dl>
${mayI(visit, 'webhooks:write') ? testForm(one, path) : ''}
<section aria-labelledby="recent"><div class="head"><h2 id="recent">Recent attempts</h2><span class="push"></span><a href="/data/webhooks?endpoint_id=${one.id}">All of them</a></div>${log.data.length === 0 ? html`<p class="muted">None yet.</p>` : html`<div class="card flush">${attemptTable(log.data, 'Recent attempts, newest first')}</div>`}</section>
${mayI(visit, 'webhooks:write') ? await editing(visit, given, kind, one, path) : ''}
${mayI(visit, 'webhooks:delete') ? html`<section class="end">${asking(`${path}/delete`, `Delete this ${kind.word}`, 'danger')}</section>` : ''}`;
      return { title: one.title, section: 'webhooks', body };
    },
  };
}

function statusButtons(visit: Visit, one: Endpoint, path: string): Html {
  if (one.status === 'pending_approval') {
    return mayI(visit, 'webhooks:approve') ? asking(`${path}/approve`, 'Approve', 'primary') : html``;
  }
  if (!mayI(visit, 'webhooks:write')) return html``;
  if (one.status === 'active') {
    const replay = one.failing_since === null ? '' : asking(`${path}/recover`, 'Replay what was missed');
    return html`${replay}${button(`${path}/status`, 'Pause', { hidden: { status: 'paused' } })}`;
  }
  return html`${asking(`${path}/recover`, 'Enable and replay', 'primary')}${button(`${path}/status`, 'Enable only', { hidden: { status: 'active' } })}`;
}

function testForm(one: Endpoint, path: string): Html {
  if (one.status === 'pending_approval') return html``;
  return html`<section class="card" aria-labelledby="test"><form class="inline" method="post" action="${path}/test" hx-post="${path}/test" hx-target="#test-result" hx-swap="innerHTML">
<h2 id="test">Test</h2><p class="muted">Sends a sample now. It changes no counter.</p><span class="push"></span><button class="primary" type="submit">Send a test</button></form><div id="test-result" aria-live="polite"></div></section>`;
}

async function editing(visit: Visit, given: Given, kind: Kind, one: Endpoint, path: string): Promise<Html> {
  const rotating = given.values?.has('overlap') === true;
  const fields = await endpointFields(visit, rotating ? nothingGiven : given, kind, one);
  return html`<div class="columns"><section class="card" aria-labelledby="edit"><h2 id="edit">Settings</h2><form method="post" action="${path}">${fields}<div class="buttons"><button class="primary" type="submit">Save</button></div></form></section>
<section class="card" aria-labelledby="secret-title"><h2 id="secret-title">Secret</h2><p class="muted">After a rotation both secrets sign until the overlap is over, so that the receiver can change over in between.</p><form method="post" action="${path}/rotate">${input(rotating ? given : nothingGiven, { name: 'overlap', label: 'Overlap', value: '24h', hint: '0s to 7d.' })}${input(rotating ? given : nothingGiven, { name: 'secret', label: 'New secret', hint: 'Leave it empty to have one made, which is shown once.' })}<div class="buttons"><button type="submit">Rotate the secret</button></div></form></section></div>`;
}

function askView(
  kind: Kind,
  act: string,
  body: (visit: Visit, one: Endpoint, path: string) => Html | Promise<Html>,
): View {
  return {
    path: `${kind.base}/:id/${act}`,
    async show(visit, given) {
      const one = await kind.get(visit);
      return {
        title: one.title,
        section: 'webhooks',
        body: html`${problemNotice(given.problem)}${await body(visit, one, `${kind.base}/${one.id}`)}`,
      };
    },
  };
}

function recoverBody(kind: Kind) {
  return async (visit: Visit, one: Endpoint, path: string): Promise<Html> => {
    const missed = await visit.core.countMissed(visit.principal, { endpoint_id: one.id });
    const counted = many(missed.count, 'event');
    const number = missed.filtered ? `up to ${counted}` : `${counted}${missed.more ? ' or more' : ''}`;
    if (missed.count === 0 && one.status === 'active') {
      return tellBody({
        title: 'Nothing was missed',
        words: html`Since ${time(missed.since)} nothing failed or was missed.`,
        back: path,
      });
    }
    const enabling = one.status === 'active' ? '' : 'It becomes active, and its count of failures begins anew. ';
    const words =
      missed.count === 0
        ? html`${enabling}Nothing was missed since ${time(missed.since)}.`
        : html`${enabling}<strong>${number.replace(/^up/, 'Up')}</strong> that failed or were missed since ${time(missed.since)} are queued again${missed.filtered ? ': those that a filter or condition takes' : ''}.`;
    const label =
      one.status === 'active' ? `Replay ${number}` : missed.count === 0 ? 'Enable' : `Enable and replay ${number}`;
    return askBody({
      title: one.status === 'active' ? 'Replay what was missed?' : `Enable this ${kind.word}?`,
      words,
      action: `${path}/recover`,
      label,
      back: path,
      tone: 'primary',
      hidden: { since: missed.since },
    });
  };
}

function actionsOf(kind: Kind, view: View, asks: Record<'delete' | 'recover' | 'approve', View>): Action[] {
  const at = (visit: Visit, rest: string) => `${kind.base}/${visit.params['id']}${rest}`;
  const action = (act: string, from: View, run: Action['act']): Action => ({
    path: `${kind.base}/:id${act}`,
    view: from,
    act: run,
  });
  return [
    action('', view, async (visit) => {
      const { warning } = await kind.update(visit, endpointInput(kind, visit.form, false));
      if (warning === undefined) return { to: at(visit, '?done=saved') };
      return { content: secretPage({ title: 'Saved', warning, go: at(visit, ''), next: 'Go on' }) };
    }),
    action('/status', view, async (visit) => {
      const status = visit.form.get('status');
      await kind.update(visit, { status });
      return { to: at(visit, `?done=${status}`) };
    }),
    action('/test', view, async (visit) => {
      const attempt = await kind.test(visit, {});
      return visit.forScript ? { piece: testResult(attempt) } : { content: await testedPage(kind, visit, attempt) };
    }),
    action('/rotate', view, async (visit) => {
      const text = (name: string) => visit.form.get(name)?.trim() || undefined;
      const { secret } = await kind.rotate(visit, { overlap: text('overlap'), secret: text('secret') });
      return {
        content: secretPage({
          title: 'The secret is rotated',
          secret,
          go: at(visit, ''),
          next: 'Back to the endpoint',
          words: 'The new secret',
        }),
      };
    }),
    action('/recover', asks.recover, async (visit) => {
      const one = await kind.get(visit);
      if (one.status !== 'active') await kind.update(visit, { status: 'active' });
      const { queued } = await kind.replay(visit, { since: visit.form.get('since') ?? one.created_at });
      return { to: at(visit, `?done=active&queued=${queued}`) };
    }),
    action('/approve', asks.approve, async (visit) => {
      await kind.approve(visit, { url: visit.form.get('url') ?? '' });
      return { to: at(visit, '?done=approved') };
    }),
    action('/delete', asks.delete, async (visit) => {
      await kind.remove(visit);
      return { to: '/settings/api?done=deleted' };
    }),
  ];
}

async function testedPage(kind: Kind, visit: Visit, attempt: Attempt) {
  const one = await kind.get(visit);
  return {
    title: 'Test',
    section: 'webhooks' as const,
    body: html`<p class="crumbs"><a href="${kind.base}/${one.id}">${one.title}</a></p><h1>Test</h1>${testResult(attempt)}`,
  };
}

function pagesOf(kind: Kind): { views: View[]; actions: Action[] } {
  const view = endpointView(kind);
  const fresh = newEndpointView(kind);
  const asks = {
    recover: askView(kind, 'recover', recoverBody(kind)),
    approve: askView(kind, 'approve', (_visit, one, path) =>
      askBody({
        title: 'Approve this endpoint?',
        words: html`Its host is new to the workspace. From now on events are sent to <span class="url whole">${one.url}</span>`,
        action: `${path}/approve`,
        label: 'Approve',
        back: path,
        tone: 'primary',
        hidden: { url: one.url },
      }),
    ),
    delete: askView(kind, 'delete', (_visit, one, path) =>
      askBody({
        title: `Delete this ${kind.word}?`,
        words: html`<b>${one.title}</b> receives nothing any more, and ${many(one.pending_count, 'waiting delivery', 'waiting deliveries')} ${one.pending_count === 1 ? 'is' : 'are'} canceled. Its log stays. It cannot be undone.`,
        action: `${path}/delete`,
        label: 'Delete',
        back: path,
      }),
    ),
  };
  return {
    views: [fresh, ...Object.values(asks), view],
    actions: [createAction(kind, fresh), ...actionsOf(kind, view, asks)],
  };
}

const both = [pagesOf(subscriptions), pagesOf(configs)];
export const endpointViews = both.flatMap(({ views }) => views);
export const endpointActions = both.flatMap(({ actions }) => actions);
