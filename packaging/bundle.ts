import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { packageRoot, packageVersion } from '../src/package.ts';
import { productionFiles } from './production-files.ts';
import { zip, type ZipEntry } from './zip.ts';

/** What stands beside the packages. The compiled program has to be there: `npm run bundle` makes it first. */
const own = ['package.json', 'LICENSE', 'schema.sql', 'schema.postgres.sql', 'bin/posthorn.js'];

/** The files of an MCP bundle (.mcpb), the manifest first. Throws when the program is not compiled. */
export function bundleEntries(): ZipEntry[] {
  if (!existsSync(join(packageRoot, 'dist/src/main.js'))) throw new Error('dist is missing: "npm run build" makes it');
  const dist = globSync('dist/**/*.js', { cwd: packageRoot }).map((path) => path.replaceAll('\\', '/'));
  const assets = globSync('src/http/dashboard/assets/*', { cwd: packageRoot }).map((path) =>
    path.replaceAll('\\', '/'),
  );
  const paths = [...own, ...dist, ...assets, ...productionFiles(packageRoot)].toSorted();
  const entry = (path: string, from = path) => ({ path, data: readFileSync(join(packageRoot, from)) });
  return [entry('manifest.json', 'packaging/manifest.json'), ...paths.map((path) => entry(path))];
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const archive = zip(bundleEntries());
  const path = `posthorn-${packageVersion}.mcpb`;
  writeFileSync(join(packageRoot, path), archive);
  const sha256 = createHash('sha256').update(archive).digest('hex');
  process.stdout.write(`${path}  ${(archive.length / 1e6).toFixed(1)} MB  sha256 ${sha256}\n`);
}
