import { crc32, deflateRawSync } from 'node:zlib';

export interface ZipEntry {
  /** With slashes, relative to the archive's root. */
  path: string;
  data: Buffer;
}

/** Fields of 16 and 32 bits count entries and bytes; nothing that is bundled here comes near. */
const entriesMax = 0xffff;
const bytesMax = 0xffff_ffff;
/** More than both headers of an entry take. */
const headerBytesMax = 100;

const utf8Names = 0x0800;
const deflated = 8;
const versionNeeded = 20;
const madeByUnix = (3 << 8) | versionNeeded;
const plainFile = 0o100644;
/** 1 January 1980, midnight: the same files make the same archive whenever it is made. */
const dosTime = 0;
const dosDate = 0x21;

/**
 * A zip archive of these entries, in this order (APPNOTE.TXT 6.3.10, sections 4.3.7, 4.3.12, 4.3.16). Throws RangeError
 * when they do not fit into one without the 64-bit extensions.
 */
export function zip(entries: readonly ZipEntry[]): Buffer {
  const bytes = entries.reduce((sum, { path, data }) => sum + data.length + path.length + headerBytesMax, 0);
  if (entries.length > entriesMax || bytes > bytesMax) {
    throw new RangeError(`${entries.length} entries of ${bytes} bytes do not fit into a zip archive of 32 bits`);
  }
  const locals: Buffer[] = [];
  const centrals: Buffer[] = [];
  let offset = 0;
  for (const { path, data } of entries) {
    const name = Buffer.from(path, 'utf8');
    const packed = deflateRawSync(data, { level: 9 });
    const common = commonFields(data, packed, name);
    const local = Buffer.concat([words('4', 0x04034b50), common, words('2', 0), name, packed]);
    const place = words('222244', 0, 0, 0, 0, (plainFile << 16) >>> 0, offset);
    centrals.push(Buffer.concat([words('42', 0x02014b50, madeByUnix), common, place, name]));
    locals.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(centrals);
  const end = words('42222442', 0x06054b50, 0, 0, entries.length, entries.length, directory.length, offset, 0);
  return Buffer.concat([...locals, directory, end]);
}

/** What a file's header says in both places, from the version to the length of its name. */
function commonFields(data: Buffer, packed: Buffer, name: Buffer): Buffer {
  const sizes = [crc32(data), packed.length, data.length] as const;
  return words('222224442', versionNeeded, utf8Names, deflated, dosTime, dosDate, ...sizes, name.length);
}

/** Little-endian integers; `widths` has the bytes of each as a digit. */
function words(widths: string, ...values: number[]): Buffer {
  return Buffer.concat(
    values.map((value, index) => {
      const wide = Buffer.alloc(4);
      wide.writeUInt32LE(value);
      return wide.subarray(0, Number(widths[index]));
    }),
  );
}
