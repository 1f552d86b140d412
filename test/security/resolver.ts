import { promises } from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import type { Answer } from '../../src/net/lookup.ts';
import { injections } from './injections.ts';

/** A resolver in the place of the system's whose answers and errors are texts that a stranger chose. */

/** Resolves to this machine. */
export const honestName = 'tls.example.com';
export const hostileName = (index: number) => `text-${index}.example.com`;
/** Whether it resolves to this machine when it is asked for the first time. */
export const isLate = (index: number) => index % 4 === 2;

const home = { address: '127.0.0.1', family: 4 };
const asked = new Set<string>();

/** Hostile names fail in two ways, have a text for their address, or have it for an alias. */
export async function lookUp(host: string): Promise<Answer[]> {
  const [, digits] = /^text-(\d+)\./.exec(host) ?? [];
  const text = injections[Number(digits)];
  if (text === undefined) return [home];
  const isFirst = !asked.has(host);
  asked.add(host);
  switch (Number(digits) % 4) {
    case 0:
      throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${text}`), { code: 'ENOTFOUND', hostname: text });
    case 1:
      throw Object.assign(new Error(text, { cause: text }), { code: text, syscall: text, hostname: text, name: text });
    case 2:
      // Or it would not be let in.
      return isFirst ? [home] : [{ address: text, family: 4 }];
    default:
      return [Object.assign({ hostname: text, canonicalName: text, aliases: [text] }, home)];
  }
}

/** For NODE_OPTIONS of a process whose every lookup is answered here. */
export const resolverOptions = `--import=data:text/javascript,${encodeURIComponent(
  `import { install } from '${import.meta.url}'; install();`,
)}`;

export function install(): void {
  // Node's own signature has a form for every option; the program asks in one.
  Object.assign(promises, { lookup: lookUp });
  syncBuiltinESMExports();
}
