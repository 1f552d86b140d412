import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { packageRoot } from '../../src/package.ts';
import type { Planted } from './planted.ts';

/** From here on, this process loads the file with the bug in it. It must not have loaded it before. */
export function plant(bug: Planted): void {
  const changed = withBug(bug);
  const url = pathToFileURL(join(packageRoot, bug.file)).href;
  registerHooks({
    load(loading, context, next) {
      const loaded = next(loading, context);
      return loading === url ? { ...loaded, source: changed } : loaded;
    },
  });
}

/** The file's text with the bug. Throws when the place is not there any more, or not just once. */
export function withBug({ name, file, text, becomes }: Planted): string {
  const source = readFileSync(join(packageRoot, file), 'utf8');
  const parts = source.split(text);
  if (parts.length !== 2)
    throw new Error(`${file} holds the place of "${name}" ${parts.length - 1} times: plant it anew`);
  return parts.join(becomes);
}
