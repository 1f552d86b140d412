import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { zip, type ZipEntry } from '../../packaging/zip.ts';

/** Reads an archive with somebody else's code, checksums included. */
const reader = `
import base64, json, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as archive:
    assert archive.testzip() is None
    print(json.dumps([[i.filename, base64.b64encode(archive.read(i)).decode(), i.external_attr >> 16, i.date_time] for i in archive.infolist()]))
`;

describe('zip', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'posthorn-zip-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const read = (archive: Buffer) => {
    const path = join(folder, 'a.zip');
    writeFileSync(path, archive);
    return JSON.parse(execFileSync('python3', ['-c', reader, path]).toString()) as [string, string, number, number[]][];
  };

  it('holds what went in, in the same order', () => {
    const entries: ZipEntry[] = [
      { path: 'manifest.json', data: Buffer.from('{}') },
      { path: 'empty', data: Buffer.alloc(0) },
      { path: 'größe/a b.txt', data: Buffer.from('ä'.repeat(100_000)) },
      { path: 'bytes', data: Buffer.from(crypto.getRandomValues(new Uint8Array(65_536))) },
    ];
    const midnight = [1980, 1, 1, 0, 0, 0];
    expect(read(zip(entries))).toEqual(
      entries.map(({ path, data }) => [path, data.toString('base64'), 0o100644, midnight]),
    );
  });

  it('is the same for the same files, and may be empty', () => {
    const entry = () => [{ path: 'a', data: Buffer.from('a') }];
    expect(zip(entry())).toEqual(zip(entry()));
    expect(read(zip([]))).toEqual([]);
  });

  it('refuses more entries than it can count', () => {
    const data = Buffer.alloc(0);
    const entries = Array.from({ length: 0x1_0000 }, (_, index) => ({ path: String(index), data }));
    expect(() => zip(entries)).toThrow(RangeError);
  });
});
