import type { Core } from '../../core/core.ts';
import type { PosthornError } from '../../core/errors.ts';
import type { Principal } from '../../core/types.ts';
import type { Scope } from '../../core/vocabulary.ts';
import type { Html } from './html.ts';

/** One request of somebody who is signed in. */
export interface Visit {
  core: Core;
  principal: Principal;
  publicUrl: string;
  brand: string;
  /** The path as it was asked, without its query. */
  path: string;
  params: Readonly<Record<string, string>>;
  query: URLSearchParams;
  /** The script asks for a piece, and not the browser for a page. */
  forScript: boolean;
  /** What a form sent; empty for a GET. */
  form: URLSearchParams;
}

/** What a form page shows beside what is stored. */
export interface Given {
  /** What was typed, to be shown again; null: nothing yet. */
  values: URLSearchParams | null;
  /** Why it was not taken. */
  problem: PosthornError | null;
}

export type Section = 'overview' | 'logs' | 'events' | 'webhooks' | 'automations';

export interface Content {
  title: string;
  /** Null: it belongs to none. */
  section: Section | null;
  body: Html;
  /** Loads the chart's library. */
  chart?: boolean;
}

/** A page, as often as it is asked for the same. */
export interface View {
  path: string;
  show(visit: Visit, given: Given): Promise<Content>;
}

/** What came of a form: somewhere to go on, a page that is shown this once, or a piece for the script. */
export type Done = { to: string } | { content: Content } | { piece: Html };

/** What a form does. Where it is refused, `view` is shown again with what was typed and why. */
export interface Action {
  path: string;
  view: View;
  act(visit: Visit): Promise<Done>;
}

/** A part of a page that the script asks for. */
export interface Piece {
  path: string;
  /** Null: nothing has changed. */
  show(visit: Visit): Promise<Html | null>;
}

export const nothingGiven: Given = { values: null, problem: null };

export function mayI(visit: Visit, scope: Scope): boolean {
  return visit.principal.scopes.has(scope);
}
