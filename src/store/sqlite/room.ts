import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Database } from 'better-sqlite3';

/** Publishing leaves this much of the disk, or a tenth of a small one, to what must be recorded all the same: attempts,
 * heartbeats, pruning. Without it, a disk filled by publishing could not even take the log of what is being delivered. */
const reservedBytesMax = 64 * 1024 * 1024;
/** A look costs a system call; in between, no disk fills by more than the reserve. */
const lookEveryMs = 250;

/** Answers whether there is room for new events, on the disk and under the file's own limit of pages. */
export function makeRoom(db: Database): () => boolean {
  const folder = db.memory ? null : dirname(db.name);
  let lookedAt = Number.NEGATIVE_INFINITY;
  let isOnDisk = true;
  return () => {
    const now = performance.now();
    // While there is none, every publish looks: the first after the disk was cleared is taken.
    if (folder !== null && (!isOnDisk || now - lookedAt >= lookEveryMs)) {
      lookedAt = now;
      isOnDisk = isEnough(disk(folder));
    }
    return isOnDisk && isEnough(pages(db));
  };
}

interface Space {
  freeBytes: number;
  bytes: number;
}

function isEnough({ freeBytes, bytes }: Space): boolean {
  return freeBytes >= Math.min(reservedBytesMax, bytes / 10);
}

function pages(db: Database): Space {
  const pragma = (name: string) => db.pragma(name, { simple: true }) as number;
  const max = pragma('max_page_count');
  const size = pragma('page_size');
  return { freeBytes: (max - pragma('page_count') + pragma('freelist_count')) * size, bytes: max * size };
}

function disk(folder: string): Space {
  try {
    const { bavail, blocks, bsize } = statfsSync(folder);
    return { freeBytes: bavail * bsize, bytes: blocks * bsize };
  } catch {
    // Some file systems do not tell; SQLite's own answer is then the only one.
    return { freeBytes: 1, bytes: 0 };
  }
}
