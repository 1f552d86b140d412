import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Read by people, debuggers and compilers, and never when the program runs. Licences stay. */
const unread = /\.(map|ts|mts|cts|flow|gypi?|markdown)$|(?<!licen[cs]e|notice)\.md$/i;
/** Large folders that nothing loads: sources and what was compiled on this machine, since the binaries stand in `prebuilds`. */
const leftOut: Record<string, RegExp> = { 'better-sqlite3': /^(build|deps|src)\//, bintrees: /^test\// };

interface Locked {
  dev?: boolean;
}

/** Every file of the installed packages that the program needs to run, with slashes, relative to `root`. */
export function productionFiles(root: string): string[] {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, Locked>;
  };
  return Object.entries(packages)
    .filter(([folder, { dev }]) => folder !== '' && dev !== true && existsSync(join(root, folder)))
    .flatMap(([folder]) => filesOf(root, folder));
}

/** Without the packages inside it, which the lock file names on their own. */
function filesOf(root: string, folder: string): string[] {
  const name = folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length);
  const found = globSync('**/*', {
    cwd: join(root, folder),
    withFileTypes: true,
    exclude: (entry) => entry.name === 'node_modules',
  });
  return found
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(join(root, folder).length + 1)
        .replaceAll('\\', '/'),
    )
    .filter((path) => !unread.test(path) && leftOut[name]?.test(path) !== true)
    .map((path) => `${folder}/${path}`);
}
