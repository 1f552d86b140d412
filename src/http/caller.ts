import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** Whose tries are counted together. `forwardedFor`: the header X-Forwarded-For. */
export type CallerOf = (peer: string, forwardedFor: string | null) => string;

/**
 * The address that a request came from. Each proxy writes its own caller at the end of X-Forwarded-For, so it is read from there, and
 * only as far as a proxy of the operator's wrote it: what stands before that anybody can write.
 *
 * @param trustedProxies `address/bits`
 */
export function makeCallerOf(trustedProxies: readonly string[]): CallerOf {
  const ranges = trustedProxies.map((one) => ipaddr.parseCIDR(one));
  const isTrusted = (address: Address) =>
    ranges.some(([network, bits]) => network.kind() === address.kind() && address.match(network, bits));
  return (peer, forwardedFor) => {
    const hops = (forwardedFor ?? '').split(',');
    let caller = addressOf(peer);
    while (caller !== null && isTrusted(caller)) {
      const before = addressOf(hops.pop() ?? '');
      if (before === null) break;
      caller = before;
    }
    return caller === null ? '' : counted(caller);
  };
}

/** Some proxies write a port too. */
function addressOf(hop: string): Address | null {
  const [, inBrackets, withPort] = /^(?:\[([^\]]+)\]|([\d.]+))(?::\d{1,5})?$/.exec(hop.trim()) ?? [];
  const text = inBrackets ?? withPort ?? hop.trim();
  const isAddress = ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text);
  return isAddress ? ipaddr.process(text) : null;
}

/** Who has one IPv6 address mostly has the 2^64 beside it (RFC 6177). */
function counted(address: Address): string {
  if (address instanceof ipaddr.IPv4) return address.toString();
  return ipaddr.IPv6.networkAddressFromCIDR(`${address.toNormalizedString()}/64`).toString();
}
