import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../src/package.ts';
import { fileTime, resultsFolder } from './results.ts';

const entriesShown = 25;

/** The parts of a V8 profile (`.cpuprofile`) that are read here. Times are microseconds. */
interface CpuProfile {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[];
  samples: number[];
  timeDeltas: number[];
}

let folder: string | null = null;

/** Servers that start during `work` write profiles of their threads; what is in them goes to stderr. */
export async function profiling<T>(name: string, work: () => Promise<T>): Promise<T> {
  folder = join(resultsFolder, 'profiles', `${fileTime(new Date())}-${name}`);
  try {
    return await work();
  } finally {
    process.stderr.write(await profileText(folder));
    folder = null;
  }
}

/** What a server's Node is started with. */
export function profileArguments(): string[] {
  return folder === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${folder}`, '--cpu-prof-interval=250'];
}

/** Where each thread of the servers spent its time: the functions by their own time, the busiest first. */
async function profileText(path: string): Promise<string> {
  // Without a server there is no folder.
  const names: string[] = await readdir(path).catch(() => []);
  const parts = names.toSorted().map(async (name) => {
    const profile = JSON.parse(await readFile(join(path, name), 'utf8')) as CpuProfile;
    return threadText(`${threadOf(profile)} (${relative(packageRoot, join(path, name))})`, profile);
  });
  return (await Promise.all(parts)).join('\n');
}

/** The writer's thread is the one that ran its file. */
function threadOf({ nodes }: CpuProfile): string {
  const ran = (file: string) => nodes.some(({ callFrame }) => callFrame.url.endsWith(file));
  return ran('/store/sqlite/writer.ts') ? 'writer thread' : 'main thread';
}

function threadText(title: string, { nodes, samples, timeDeltas }: CpuProfile): string {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, frameText(callFrame)]));
  const spent = new Map<string, number>();
  for (const [index, id] of samples.entries()) {
    const frame = frames.get(id) ?? '?';
    spent.set(frame, (spent.get(frame) ?? 0) + (timeDeltas[index] ?? 0));
  }
  const all = [...spent.values()].reduce((sum, one) => sum + one, 0);
  const idle = spent.get('(idle)') ?? 0;
  spent.delete('(idle)');
  const busy = all - idle;
  const lines = [...spent]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, entriesShown)
    .map(([frame, time]) => `${((time / busy) * 100).toFixed(1).padStart(6)} %  ${frame}`);
  const seconds = (busy / 1e6).toFixed(1);
  return [`${title}: busy ${seconds} s of ${(all / 1e6).toFixed(1)} s; of that`, ...lines, ''].join('\n');
}

function frameText({ functionName, url, lineNumber }: CpuProfile['nodes'][number]['callFrame']): string {
  const name = functionName === '' ? '(anonymous)' : functionName;
  if (url === '') return name;
  const file = url.startsWith('file:') ? relative(packageRoot, fileURLToPath(url)) : url;
  return `${name}  ${file}:${lineNumber + 1}`;
}
