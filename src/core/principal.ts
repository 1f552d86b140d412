import type { FaceName, PrincipalKind, Scope } from './vocabulary.ts';

/** Who is asking: an API key, the operator's admin key, or the local user of a stdio process or command. */
export interface Principal {
  workspaceId: number;
  kind: PrincipalKind;
  keyId: number | null;
  name: string;
  scopes: ReadonlySet<Scope>;
  via: Via;
}

/** How a request came in. `client` is what the caller says of itself: a stranger's words, and proof of nothing. */
export interface Via {
  face: FaceName;
  client: string | null;
}
