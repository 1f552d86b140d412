import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { packageRoot } from '../../package.ts';
import type { App } from '../context.ts';

const { resolve } = createRequire(import.meta.url);
const own = (name: string) => join(packageRoot, 'src/http/dashboard/assets', name);
/** uPlot's manifest exports no files beside its code. */
const beside = (entry: string, name: string) => join(resolve(entry), '..', name);

const javascript = 'text/javascript; charset=utf-8';
const css = 'text/css; charset=utf-8';

const files = {
  'page.css': { path: own('page.css'), type: css },
  'page.js': { path: own('page.js'), type: javascript },
  'chart.js': { path: own('chart.js'), type: javascript },
  'icon.svg': { path: own('icon.svg'), type: 'image/svg+xml' },
  'htmx.js': { path: beside('htmx.org', 'htmx.min.js'), type: javascript },
  'uplot.js': { path: beside('uplot', 'uPlot.iife.min.js'), type: javascript },
  'uplot.css': { path: beside('uplot', 'uPlot.min.css'), type: css },
} as const;
export type AssetName = keyof typeof files;

const folder = '/assets';
const oneYearSeconds = 31_536_000;

interface Asset {
  url: string;
  body: Uint8Array<ArrayBuffer>;
}

/** Read when the first page is asked for: a process that serves agents alone reads none. */
const read = new Map<AssetName, Asset>();

function asset(name: AssetName): Asset {
  const known = read.get(name);
  if (known !== undefined) return known;
  const body = new Uint8Array(readFileSync(files[name].path));
  const hash = createHash('sha256').update(body).digest('hex').slice(0, 12);
  const made = { url: `${folder}/${hash}/${name}`, body };
  read.set(name, made);
  return made;
}

/** The address of an asset. It changes with the content, so that browsers may keep it for ever. */
export function assetUrl(name: AssetName): string {
  return asset(name).url;
}

/** Serves the scripts and styles of the page, to everybody: nothing in them is secret. */
export function mountAssets(app: App): void {
  app.get(`${folder}/:hash/:name`, (c) => {
    const name = c.req.param('name');
    const found = Object.hasOwn(files, name) ? asset(name as AssetName) : null;
    if (found === null || found.url !== c.req.path) return c.notFound();
    return new Response(found.body, {
      headers: {
        'content-type': files[name as AssetName].type,
        'cache-control': `public, max-age=${oneYearSeconds}, immutable`,
        'x-content-type-options': 'nosniff',
        'cross-origin-resource-policy': 'same-origin',
      },
    });
  });
}
