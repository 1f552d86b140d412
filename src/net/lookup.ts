import { lookup as systemLookup } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';

export interface Answer {
  address: string;
  /** 4 or 6. */
  family: number;
}

/** Every address of a host name. Rejects when there is none. */
export type Lookup = (host: string) => Promise<Answer[]>;

/**
 * The system's resolver, hosts file included. Questions for one name that are open at once share one answer: each holds
 * one of libuv's four threads, and a name whose servers are silent would otherwise hold them all.
 */
export function makeLookup(): Lookup {
  const open = new Map<string, Promise<Answer[]>>();
  return (host) => {
    const asked = open.get(host);
    if (asked !== undefined) return asked;
    const question = systemLookup(host, { all: true }).finally(() => open.delete(host));
    open.set(host, question);
    return question;
  };
}

/** The addresses of this machine's own interfaces, now. */
export function interfaceAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((addresses) => addresses?.map((each) => each.address) ?? []);
}
