import { assetUrl } from './assets.ts';
import { html, type Html, raw } from './html.ts';
import { icon } from './parts/icon.ts';
import type { Content, Section, Visit } from './visit.ts';

const sections: { section: Section; label: string; href: string }[] = [
  { section: 'overview', label: 'Overview', href: '/' },
  { section: 'logs', label: 'Delivery logs', href: '/data/webhooks' },
  { section: 'events', label: 'Events', href: '/data/events' },
  { section: 'webhooks', label: 'Webhooks', href: '/settings/api' },
  { section: 'automations', label: 'Automations', href: '/auto/automations' },
];

/** Where a path belongs. */
export function sectionOf(path: string): Section | null {
  if (path === '/') return 'overview';
  if (path.startsWith('/data/event')) return 'events';
  return sections.find(({ href }) => href !== '/' && path.startsWith(href))?.section ?? null;
}

/** Nothing from elsewhere, no script or style in the page, nothing framed; forms go to this server alone. */
export const pageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=(), payment=()',
  'cache-control': 'no-store',
  vary: 'Cookie',
} as const;

/** A whole document. */
export function documentOf(title: string, body: Html, chart = false): string {
  const script = (name: Parameters<typeof assetUrl>[0]) => html`<script defer src="${assetUrl(name)}"></script>`;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="htmx-config" content='{"includeIndicatorCSS":false,"history":false,"extensions":"none"}'>
<title>${title} · Posthorn</title>
<link rel="icon" href="${assetUrl('icon.svg')}" type="image/svg+xml">
<link rel="stylesheet" href="${assetUrl('page.css')}">
${chart ? html`<link rel="stylesheet" href="${assetUrl('uplot.css')}">` : ''}
${script('htmx.js')}${script('page.js')}${chart ? [script('uplot.js'), script('chart.js')] : ''}
</head>
<body>${body}</body>
</html>`;
  return String(page);
}

/** The page of somebody who is signed in. */
export function pageOf(visit: Visit, content: Content): string {
  const { principal } = visit;
  const body = html`<a class="skip" href="#main">Skip to the content</a>
<header class="side">
  <a class="brand" href="/">${raw(icon.horn)}<span>Posthorn</span></a>
  <nav aria-label="Pages"><ul>${sections.map(
    ({ section, label, href }) =>
      html`<li><a href="${href}" ${raw(section === content.section ? 'aria-current="page"' : '')}>${raw(icon[section])}<span>${label}</span></a></li>`,
  )}</ul></nav>
  <form class="whoami" method="post" action="/sign-out">
    <span class="who" title="The key you are signed in with"><b>${principal.name}</b></span>
    <button class="quiet" type="submit">Sign out</button>
  </form>
</header>
<main id="main" tabindex="-1">${content.body}</main>
<dialog id="ask" aria-label="Please confirm"></dialog>`;
  return documentOf(content.title, body, content.chart);
}
