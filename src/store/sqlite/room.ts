import { statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Database } from 'better-sqlite3';

/** Publishing leaves this much of the disk, or a tenth of a small one, to what must be recorded all the same: attempts,
 * heartbeats, pruning. Without it, a disk filled by publishing could not even take the log of what is being delivered. */
const reservedBytesMax = 64 * 1024 * 1024;
/** What is written passes through the log beside the file, also where the file has the place: 4,000 pages from one
 * checkpoint to the next. A log that can grow no further before that is never emptied again. */
const logBytes = 20 * 1024 * 1024;
/** A look costs a system call or two; in between, no disk fills by more than the reserve. */
const lookEveryMs = 250;

export interface Space {
  freeBytes: number;
  bytes: number;
}

/**
 * Answers whether there is room for new events, on the disk and under the file's own limit of pages. Pages that pruning
 * freed inside the file are room too: the file never shrinks, so that the disk shows nothing of them.
 */
export function makeRoom(db: Database, diskOf: (folder: string) => Space = disk): () => boolean {
  const pragma = (name: string) => db.pragma(name, { simple: true }) as number;
  const folder = db.memory ? null : dirname(db.name);
  let lookedAt = Number.NEGATIVE_INFINITY;
  let isOnDisk = true;

  function look(path: string, freeInFile: number): boolean {
    const { freeBytes, bytes } = diskOf(path);
    const reserved = reserveOf(bytes);
    return freeBytes >= reserved || (freeInFile >= reserved && freeBytes + sizeOf(`${db.name}-wal`) >= logBytes);
  }

  return () => {
    const size = pragma('page_size');
    const freeInFile = pragma('freelist_count') * size;
    const now = performance.now();
    // While there is none, every publish looks: the first after the disk was cleared is taken.
    if (folder !== null && (!isOnDisk || now - lookedAt >= lookEveryMs)) {
      lookedAt = now;
      isOnDisk = look(folder, freeInFile);
    }
    const max = pragma('max_page_count');
    const freePages = (max - pragma('page_count')) * size + freeInFile;
    return isOnDisk && freePages >= reserveOf(max * size);
  };
}

function reserveOf(bytes: number): number {
  return Math.min(reservedBytesMax, bytes / 10);
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

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
