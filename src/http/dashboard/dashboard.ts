import { PosthornError } from '../../core/errors.ts';
import type { Session } from '../../core/core.ts';
import type { RequestContext } from '../context.ts';
import { exchange } from '../exchange.ts';
import type { Face } from '../face.ts';
import { httpLimits } from '../limits.ts';
import { type CookiePlace, readSessionCookie, sessionCookie } from './cookie.ts';
import { html } from './html.ts';
import { documentOf, pageHeaders, pageOf, sectionOf } from './layout.ts';
import { requireSameOrigin } from './origin.ts';
import { errorPage, lostPage } from './pages/error.ts';
import { actions } from './pages/index.ts';
import { problemNotice } from './parts/notice.ts';
import { formOf, isForScript, nextOf, paramsOf, viaOf } from './request.ts';
import { type Kept, readKept, signInBody } from './sign-in.ts';
import {
  type Action,
  type Content,
  type Done,
  type Given,
  nothingGiven,
  type Piece,
  type View,
  type Visit,
} from './visit.ts';

/** Of somebody whom nobody knows no more is read than may come back with the sign-in. */
async function expiredForm(c: RequestContext): Promise<Kept> {
  try {
    return { path: c.req.path, form: await formOf(c, httpLimits.expiredFormBytesMax) };
  } catch (error) {
    if (!(error instanceof PosthornError) || error.code !== 'payload_too_large') throw error;
    const message = 'Your sign-in has expired, and this form is too long to be kept. Go back, copy it, then sign in.';
    throw new PosthornError('payload_too_large', message);
  }
}

/** What the page answers to each kind of request. */
export class Dashboard {
  readonly #face: Face;

  constructor(face: Face) {
    this.#face = face;
  }

  /** Host check, log line and standard headers as everywhere; what is wrong is told as a page. */
  handler(pattern: string, work: (c: RequestContext) => Promise<Response>): (c: RequestContext) => Promise<Response> {
    const subject = {
      pattern,
      frequent: pattern.endsWith('/rows'),
      protected: { realm: this.#face.brand, scopes: [] },
    };
    return exchange(this.#face, subject, async (c) => {
      try {
        return await work(c);
      } catch (error) {
        if (!(error instanceof PosthornError) || error.code === 'internal') throw error;
        return this.#bare(
          error.status,
          error.message,
          html`<main class="alone" id="main">${problemNotice(error)}<p><a href="/">To the overview</a></p></main>`,
        );
      }
    });
  }

  async view(c: RequestContext, view: View): Promise<Response> {
    const session = await this.#session(c);
    if (session === null) return this.#signedOut(c, null);
    const visit = this.#visit(c, session, new URLSearchParams());
    const { status, content } = await this.#shown(visit, view, nothingGiven);
    return this.#page(c, status, session, visit, content);
  }

  /** What a browser sees where no page is. */
  async lost(c: RequestContext, status: 404 | 405): Promise<Response> {
    const content = lostPage();
    const session = await this.#session(c);
    if (session === null)
      return this.#bare(status, content.title, html`<main class="alone" id="main">${content.body}</main>`);
    const visit = this.#visit(c, session, new URLSearchParams());
    return this.#page(c, status, session, visit, { ...content, section: null });
  }

  async piece(c: RequestContext, piece: Piece): Promise<Response> {
    const session = await this.#session(c);
    if (session === null) return this.#signedOut(c, null);
    const found = await piece.show(this.#visit(c, session, new URLSearchParams()));
    return found === null ? new Response(null, { status: 204 }) : this.#html(200, String(found));
  }

  async act(c: RequestContext, action: Action): Promise<Response> {
    requireSameOrigin(c.req.raw.headers);
    const session = await this.#session(c);
    if (session === null) return this.#signedOut(c, await expiredForm(c));
    const form = await formOf(c);
    const visit = this.#visit(c, session, form);
    try {
      return await this.#done(c, session, visit, await action.act(visit));
    } catch (error) {
      if (!(error instanceof PosthornError) || error.code === 'internal') throw error;
      if (isForScript(c)) return this.#html(200, String(problemNotice(error)));
      const { content } = await this.#shown(visit, action.view, { values: form, problem: error });
      return this.#page(c, error.status, session, visit, content);
    }
  }

  async signIn(c: RequestContext): Promise<Response> {
    requireSameOrigin(c.req.raw.headers);
    let form = new URLSearchParams();
    const readKey = async () => {
      form = await formOf(c, httpLimits.signInBytesMax);
      return (form.get('key') ?? '').trim();
    };
    try {
      const { core, callerOf } = this.#face;
      const peer = c.env?.incoming?.socket.remoteAddress ?? '';
      const caller = callerOf(peer, c.req.raw.headers.get('x-forwarded-for'));
      const session = await core.signIn({ readKey, caller, via: viaOf(c) });
      const kept = readKept(form);
      return kept === null ? this.#redirect(c, nextOf(form), session) : await this.#resumed(c, session, kept);
    } catch (error) {
      if (!(error instanceof PosthornError)) throw error;
      return this.signInPage(c, error.status, error, readKept(form), form);
    }
  }

  async signOut(c: RequestContext): Promise<Response> {
    requireSameOrigin(c.req.raw.headers);
    const response = this.#redirect(c, '/sign-in', null);
    response.headers.set('set-cookie', sessionCookie(null, 0, this.#cookiePlace(c)));
    return response;
  }

  signInPage(
    c: RequestContext,
    status: number,
    problem: PosthornError | null,
    kept: Kept | null = null,
    form: URLSearchParams | null = null,
  ): Response {
    const { search, pathname } = new URL(c.req.raw.url);
    const asked = c.req.method === 'GET' && pathname !== '/sign-in' ? `${pathname}${search}` : '/';
    const next = form === null ? asked : nextOf(form);
    return this.#bare(status, 'Sign in', signInBody(problem, kept, next));
  }

  /** After signing in again in the middle of a form: the form as it was, to be sent once more. */
  async #resumed(c: RequestContext, session: Session, kept: Kept): Promise<Response> {
    const action = actions.find(({ path }) => paramsOf(path, kept.path) !== null);
    if (action === undefined) return this.#redirect(c, '/', session);
    const params = paramsOf(action.path, kept.path) ?? {};
    const visit = { ...this.#visit(c, session, kept.form), path: kept.path, params, query: new URLSearchParams() };
    const { status, content } = await this.#shown(visit, action.view, { values: kept.form, problem: null });
    const note = html`<div class="notice" role="status">You are signed in again, and what you had typed is here. It has not been sent yet.</div>`;
    return this.#page(c, status, session, visit, { ...content, body: html`${note}${content.body}` });
  }

  #signedOut(c: RequestContext, kept: Kept | null): Response {
    if (isForScript(c)) {
      return this.#html(
        200,
        String(
          html`<div class="notice bad" role="alert">Your sign-in has expired. Save or reload the page to sign in again; what you typed is kept when you save.</div>`,
        ),
      );
    }
    return this.signInPage(c, 401, null, kept);
  }

  async #session(c: RequestContext): Promise<Session | null> {
    const token = readSessionCookie(c.req.raw.headers.get('cookie'), this.#cookiePlace(c));
    if (token === null) return null;
    try {
      return await this.#face.core.resumeSession(token, viaOf(c));
    } catch (error) {
      if (error instanceof PosthornError && error.code === 'unauthorized') return null;
      throw error;
    }
  }

  #visit(c: RequestContext, session: Session, form: URLSearchParams): Visit {
    const { core, publicUrl, brand } = this.#face;
    const query = new URL(c.req.raw.url).searchParams;
    return {
      core,
      publicUrl,
      brand,
      principal: session.principal,
      path: c.req.path,
      params: c.req.param(),
      query,
      forScript: isForScript(c),
      form,
    };
  }

  /** What cannot be shown is a page too, with the sections beside it. */
  async #shown(visit: Visit, view: View, given: Given): Promise<{ status: number; content: Content }> {
    try {
      return { status: 200, content: await view.show(visit, given) };
    } catch (error) {
      if (!(error instanceof PosthornError) || error.code === 'internal') throw error;
      const content = { ...errorPage(visit.path, error), section: sectionOf(visit.path) };
      return { status: error.status, content };
    }
  }

  async #done(c: RequestContext, session: Session, visit: Visit, done: Done): Promise<Response> {
    if ('to' in done) return this.#redirect(c, done.to, session);
    if ('piece' in done) return this.#html(200, String(done.piece));
    return this.#page(c, 200, session, visit, done.content);
  }

  #page(c: RequestContext, status: number, session: Session, visit: Visit, content: Content): Response {
    return this.#keep(c, this.#html(status, pageOf(visit, content)), session);
  }

  #bare(status: number, title: string, body: ReturnType<typeof html>): Response {
    return this.#html(status, documentOf(title, body));
  }

  #html(status: number, text: string): Response {
    return new Response(text, { status, headers: pageHeaders });
  }

  #redirect(c: RequestContext, to: string, session: Session | null): Response {
    const response = new Response(null, { status: 303, headers: { ...pageHeaders, location: to } });
    return session === null ? response : this.#keep(c, response, session);
  }

  #keep(c: RequestContext, response: Response, { token, secondsLeft }: Session): Response {
    if (token !== null) response.headers.set('set-cookie', sessionCookie(token, secondsLeft, this.#cookiePlace(c)));
    return response;
  }
  /** Behind TLS the public address says what the browser sees, since the Host header may be the proxy's. */
  #cookiePlace(c: RequestContext): CookiePlace {
    const known = new URL(this.#face.publicUrl);
    const secure = known.protocol === 'https:';
    return { secure, port: secure ? known.port : new URL(c.req.raw.url).port };
  }
}
