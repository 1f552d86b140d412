import { PosthornError } from '../../core/errors.ts';
import { readBytes } from '../body.ts';
import type { RequestContext } from '../context.ts';

/** What is read off a browser's request. */

export function viaOf(c: RequestContext) {
  return { face: 'page', client: c.req.raw.headers.get('user-agent') } as const;
}

export function wantsPage(c: RequestContext): boolean {
  return (c.req.raw.headers.get('accept') ?? '').includes('text/html');
}

export function isForScript(c: RequestContext): boolean {
  return c.req.raw.headers.get('hx-request') === 'true';
}

export async function formOf(c: RequestContext, bytesMax?: number): Promise<URLSearchParams> {
  const type = c.req.raw.headers.get('content-type') ?? '';
  const bytes = await readBytes(c, bytesMax);
  if (bytes.length > 0 && !type.startsWith('application/x-www-form-urlencoded')) {
    throw new PosthornError('unsupported_media_type', 'Forms are sent as application/x-www-form-urlencoded.');
  }
  return new URLSearchParams(new TextDecoder().decode(bytes));
}

/** A path of this server and nothing else: `//elsewhere` and `/\elsewhere` would leave it. */
export function nextOf(form: URLSearchParams): string {
  const next = form.get('next') ?? '/';
  return /^\/(?![/\\])[\x21-\x7e]*$/.test(next) ? next : '/';
}

/** The parameters of a path that fits the pattern, else null. */
export function paramsOf(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return null;
  const params: Record<string, string> = {};
  for (const [index, word] of wanted.entries()) {
    const part = given[index] ?? '';
    if (!word.startsWith(':')) {
      if (word !== part) return null;
      continue;
    }
    const text = decoded(part);
    if (text === null) return null;
    params[word.slice(1)] = text;
  }
  return params;
}

function decoded(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}
