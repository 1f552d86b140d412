/** Where the browser keeps it. Cookies of one host know no port, so that the name holds it: two servers would sign each other out. */
export interface CookiePlace {
  /** The browser came over https. */
  secure: boolean;
  /** The port that the browser sees, empty for the usual one. */
  port: string;
}

/** Over https a `__Host-` cookie, which no other host and no page without encryption can set. */
function nameOf({ secure, port }: CookiePlace): string {
  return `${secure ? '__Host-' : ''}posthorn${port === '' ? '' : `_${port}`}`;
}

export function readSessionCookie(header: string | null, place: CookiePlace): string | null {
  const name = `${nameOf(place)}=`;
  const found = (header ?? '').split(/; */).find((part) => part.startsWith(name));
  return found === undefined ? null : found.slice(name.length);
}

/** `token` null: the browser forgets it. RFC 6265bis. */
export function sessionCookie(token: string | null, secondsLeft: number, place: CookiePlace): string {
  const life = token === null ? 0 : Math.max(0, Math.floor(secondsLeft));
  return `${nameOf(place)}=${token ?? ''}; Path=/; Max-Age=${life}; HttpOnly; SameSite=Strict${place.secure ? '; Secure' : ''}`;
}
