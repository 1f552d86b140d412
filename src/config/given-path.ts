import { resolve } from 'node:path';
import { packageRoot } from '../package.ts';

/**
 * A path of the command line as whoever typed it meant it. `npm run` starts a program in the folder of its package, wherever
 * it was called, and says in `INIT_CWD` where that was.
 */
export function givenPath(path: string): string {
  const { INIT_CWD: calledIn } = process.env;
  const isMoved = calledIn !== undefined && resolve('.') === resolve(packageRoot);
  return isMoved ? resolve(calledIn, path) : path;
}
