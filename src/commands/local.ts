import type { Posthorn } from '../app.ts';
import { loadConfig } from '../config.ts';

/**
 * Does something with the database of this environment, without serving or delivering, and closes it again. What
 * happens to go well on the way is not worth a line beside the result.
 */
export async function withPosthorn<T>(work: (posthorn: Posthorn) => Promise<T>): Promise<T> {
  const config = loadConfig(undefined, { binds: false });
  const { createPosthorn } = await import('../app.ts');
  const posthorn = await createPosthorn({ ...config, logLevel: config.logLevel === 'info' ? 'warn' : config.logLevel });
  try {
    return await work(posthorn);
  } finally {
    await posthorn.stop(0);
  }
}
