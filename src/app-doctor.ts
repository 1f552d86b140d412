import { ownHosts } from './app.ts';
import type { Config } from './config.ts';
import { fits, missing, unfit } from './config/secret-key-check.ts';
import { findSecretKey, secretKeyPath } from './config/secret-key.ts';
import { makePolicy } from './net/address.ts';
import { interfaceAddresses } from './net/lookup.ts';
import { makeTargets } from './net/targets.ts';
import type { Examination } from './store/examination.ts';
import { examineStore } from './store/open.ts';
import { systemClock, systemRandom } from './system.ts';

export type { Examination } from './store/examination.ts';

/** Looks at the database of this configuration and changes nothing. Throws what keeps a start from opening it. */
export function examineDatabase({ databaseUrl }: Config): Promise<Examination> {
  return examineStore(databaseUrl);
}

/**
 * Throws ConfigError unless a start would find the key that the database began with. False: there is none yet,
 * and the next start makes one.
 */
export async function hasSecretKey(config: Config, { rows }: Examination): Promise<boolean> {
  const [found, stored] = await Promise.all([findSecretKey(config), rows.secretKeyCheck()]);
  if (found === null && stored !== null) throw missing(secretKeyPath(config.databaseUrl));
  if (found !== null && stored !== null && !fits(found.key, stored, systemRandom)) throw unfit(found.from);
  return found !== null;
}

/** Which of these URLs this configuration lets deliveries go to. */
export async function allowedOf(config: Config, urls: readonly string[]): Promise<string[]> {
  const policy = makePolicy({
    allowTargets: config.allowTargets,
    ownHosts: () => ownHosts(config, config.port),
    ownAddresses: interfaceAddresses,
    ownPort: () => config.port,
  });
  const targets = makeTargets({ policy, clock: systemClock });
  const verdicts = await Promise.all(urls.map((url) => targets.check(url)));
  return urls.filter((_url, index) => verdicts[index]?.allowed);
}
