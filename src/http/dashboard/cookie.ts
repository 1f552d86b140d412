/** Over https a `__Host-` cookie, which no other host and no page without encryption can set. */
function nameOf(secure: boolean): string {
  return secure ? '__Host-posthorn' : 'posthorn';
}

export function readSessionCookie(header: string | null, secure: boolean): string | null {
  const name = `${nameOf(secure)}=`;
  const found = (header ?? '').split(/; */).find((part) => part.startsWith(name));
  return found === undefined ? null : found.slice(name.length);
}

/** `token` null: the browser forgets it. RFC 6265bis. */
export function sessionCookie(token: string | null, secondsLeft: number, secure: boolean): string {
  const life = token === null ? 0 : Math.max(0, Math.floor(secondsLeft));
  return `${nameOf(secure)}=${token ?? ''}; Path=/; Max-Age=${life}; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`;
}
