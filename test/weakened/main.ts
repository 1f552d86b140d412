import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../src/package.ts';
import { type Weakening, weakenings } from './weakenings.ts';

/**
 * Takes the program's guards out, one at a time and in a copy, and demands that a test fails each time: a guard that
 * nobody would miss is none. Beforehand the same tests have to pass in a copy that nothing was taken out of.
 *
 *     npm run test:weakened [-- --json] [part of a guard's name]
 */

const copied = [
  'src',
  'tools',
  'test',
  'bin',
  'docs',
  'packaging',
  'package.json',
  'tsconfig.json',
  'schema.sql',
  'schema.postgres.sql',
  'README.md',
];
/** PostgreSQL is not started: what needs it is not named above. */
const config = `import { defineConfig } from 'vitest/config';
export default defineConfig({ test: { include: ['test/**/*.test.ts'], testTimeout: 20_000, hookTimeout: 60_000,
  pool: 'forks', isolate: false, maxWorkers: 1, expect: { requireAssertions: true } } });
`;
const runMsMax = 180_000;

interface Outcome {
  guard: string;
  file: string;
  tests: string;
  /** `missed`: the tests pass without the guard. `rotten`: the text to change is gone. `unsound`: they fail with it. */
  verdict: 'noticed' | 'missed' | 'rotten' | 'unsound';
  tookMs: number;
}

/** What vitest writes down. */
interface Report {
  success: boolean;
  numFailedTests: number;
  numPassedTests: number;
}

interface Run {
  failed: boolean;
  /** Tests that ran; none means that the name matched nothing. */
  ran: boolean;
}

const say = (line: string) => process.stdout.write(`${line}\n`);

async function copyTree(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'posthorn-weakened-'));
  await Promise.all(
    copied.map((name) =>
      cp(join(packageRoot, name), join(folder, name), {
        recursive: true,
        filter: (path) => !path.includes('node_modules'),
      }),
    ),
  );
  await symlink(join(packageRoot, 'node_modules'), join(folder, 'node_modules'));
  await writeFile(join(folder, 'vitest.config.ts'), config);
  return folder;
}

async function runTests(folder: string, { tests, named }: Pick<Weakening, 'tests' | 'named'>): Promise<Run> {
  const vitest = join(packageRoot, 'node_modules/vitest/vitest.mjs');
  const report = join(folder, 'report.json');
  await rm(report, { force: true });
  const filter = named === undefined ? [] : ['-t', named];
  const child = spawn(
    process.execPath,
    [vitest, 'run', '--reporter', 'json', '--outputFile', report, tests, ...filter],
    {
      cwd: folder,
      stdio: 'ignore',
      timeout: runMsMax,
      killSignal: 'SIGKILL',
    },
  );
  await once(child, 'close');
  const text = await readFile(report, 'utf8').catch(() => '');
  // Killed at its time limit: a test that hangs has noticed something too.
  if (text === '') return { failed: true, ran: child.signalCode !== null };
  const { success, numFailedTests, numPassedTests } = JSON.parse(text) as Report;
  return { failed: !success, ran: numFailedTests + numPassedTests > 0 };
}

async function plant(folder: string, weakening: Weakening): Promise<Outcome['verdict']> {
  const path = join(folder, weakening.file);
  const whole = await readFile(path, 'utf8');
  if (whole.split(weakening.from).length !== 2) return 'rotten';
  await writeFile(
    path,
    whole.replace(weakening.from, () => weakening.to),
  );
  try {
    const { failed, ran } = await runTests(folder, weakening);
    if (!ran) return 'rotten';
    return failed ? 'noticed' : 'missed';
  } finally {
    await writeFile(path, whole);
  }
}

async function work(
  folder: string,
  queue: Weakening[],
  sound: Map<string, Promise<Run>>,
  done: (one: Outcome) => void,
) {
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const { guard, file, tests, named } = next;
    const startedAt = performance.now();
    const key = `${tests} ${named ?? ''}`;
    if (!sound.has(key)) sound.set(key, runTests(folder, next));
    const { failed, ran } = (await sound.get(key)) ?? { failed: true, ran: false };
    const verdict = failed || !ran ? 'unsound' : await plant(folder, next);
    done({ guard, file, tests, verdict, tookMs: Math.round(performance.now() - startedAt) });
  }
}

async function main(args: readonly string[]): Promise<number> {
  const isJson = args.includes('--json');
  const part = args.find((each) => !each.startsWith('-')) ?? '';
  const queue = weakenings.filter(({ guard }) => guard.includes(part));
  const outcomes: Outcome[] = [];
  const total = queue.length;
  const done = (one: Outcome) => {
    outcomes.push(one);
    if (isJson) return;
    const mark = one.verdict === 'noticed' ? '✓' : '✗';
    const count = `${outcomes.length}/${total}`.padStart(5);
    say(`${count} ${mark} ${one.guard}: ${one.verdict} (${(one.tookMs / 1_000).toFixed(1)} s, ${one.tests})`);
  };
  const workers = Math.min(4, availableParallelism(), Math.max(total, 1));
  const folders = await Promise.all(Array.from({ length: workers }, copyTree));
  try {
    const sound = new Map<string, Promise<Run>>();
    await Promise.all(folders.map((folder) => work(folder, queue, sound, done)));
  } finally {
    await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })));
  }
  const bad = outcomes.filter(({ verdict }) => verdict !== 'noticed');
  if (isJson) say(JSON.stringify({ ok: bad.length === 0 && total > 0, outcomes }));
  else say(`${total - bad.length} of ${total} weakenings were noticed`);
  return bad.length === 0 && total > 0 ? 0 : 1;
}

process.exit(await main(process.argv.slice(2)));
