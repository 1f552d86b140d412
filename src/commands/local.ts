import type { LocalPosthorn } from '../app-local.ts';
import type { Posthorn } from '../app.ts';
import { type Config, loadConfig } from '../config.ts';
import type { Metrics } from '../core/ports/ports.ts';
import type { Sender } from '../core/ports/sender.ts';

/** These commands neither send nor count, and what does both takes longer to load than they take to run. */
const sender: Sender = {
  send: () => Promise.reject(new Error('this command does not send')),
  close: () => Promise.resolve(),
};
const metrics: Metrics = { accepted() {}, attempted() {} };

/** Opens the database of this configuration, without what serves and delivers. */
export async function openLocally(config: Config): Promise<LocalPosthorn> {
  const { createLocalPosthorn } = await import('../app-local.ts');
  return createLocalPosthorn(config, { sender, metrics });
}

/** Does something with the database of this environment and closes it again. */
export async function withPosthorn<T>(work: (posthorn: Posthorn) => Promise<T>): Promise<T> {
  const config = loadConfig(undefined, { binds: false });
  // What goes well on the way is not worth a line beside the result.
  const { posthorn } = await openLocally({
    ...config,
    logLevel: config.logLevel === 'info' ? 'warn' : config.logLevel,
  });
  try {
    return await work(posthorn);
  } finally {
    await posthorn.stop(0);
  }
}
