import { adminKey, type Rest } from '../contract/rest.ts';

/** What a browser says of a form that it sends from the page itself. */
export const own = { 'sec-fetch-site': 'same-origin' };
export const form = { 'content-type': 'application/x-www-form-urlencoded' };

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
}

/** The page as a browser's requests meet it, without the browser. */
export interface PageRequests {
  send(method: string, path: string, headers?: Record<string, string>, body?: string): Promise<Answer>;
  signIn(key: string, more?: Record<string, string>): Promise<Answer>;
  /** The cookie of somebody who just signed in. */
  cookieOf(key?: string): Promise<string>;
  /** Asks for a page, or sends a form of one. */
  get(cookie: string, path: string): Promise<Answer>;
  post(cookie: string, path: string, fields?: Record<string, string>): Promise<Answer>;
}

export function pageRequests(rest: () => Rest): PageRequests {
  const send: PageRequests['send'] = async (method, path, headers = {}, body) => {
    const answer = await fetch(rest().base + path, {
      method,
      headers: { accept: 'text/html', ...headers },
      redirect: 'manual',
      ...(body === undefined ? {} : { body }),
    });
    return { status: answer.status, headers: answer.headers, text: await answer.text() };
  };
  const post: PageRequests['post'] = (cookie, path, fields = {}) =>
    send('POST', path, { cookie, ...own, ...form }, new URLSearchParams(fields).toString());
  const signIn: PageRequests['signIn'] = (key, more = {}) => post('', '/sign-in', { key, ...more });
  return {
    send,
    signIn,
    post,
    get: (cookie, path) => send('GET', path, { cookie }),
    async cookieOf(key = adminKey) {
      return ((await signIn(key)).headers.get('set-cookie') ?? '').split(';')[0] ?? '';
    },
  };
}
