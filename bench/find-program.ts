import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** The program's path, or null when it is not installed. Debian keeps some where only root's PATH looks. */
export async function findProgram(name: string): Promise<string | null> {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  for (const folder of folders) {
    const path = join(folder, name);
    const found = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  return null;
}
