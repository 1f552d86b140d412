import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join, posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tools } from '../tools/index.ts';
import { readSource, type Source } from './tidy-source.ts';

/** The rules of the house, checked by reading every file. A rule that finds nothing is shown an offender beside it. */

const root = join(import.meta.dirname, '..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const sourcesIn = (...patterns: string[]) =>
  globSync(patterns, { cwd: root, exclude: ['**/node_modules/**'] })
    .map((path) => path.replaceAll('\\', '/'))
    .toSorted()
    .map((path) => readSource(path, read(path)));

/** The program. */
const program = sourcesIn('{src,tools}/**/*.ts');
/** The program and what is written around it. */
const everything = [...program, ...sourcesIn('{test,bench}/**/*.ts', 'bin/*.js', '*.config.ts')];

const fileLinesMax = 250;
const functionLinesMax = 70;

/** Each makes an object of methods, as a class would; what is left without them is short. */
const longFunctions = new Set([
  'src/core/journey/accept.ts makePublisher',
  'src/store/journey-store.ts journeyStore',
  'src/store/manage/endpoints.ts endpointStore',
  'src/store/manage/keys.ts keyStore',
  'src/store/manage/records.ts recordStore',
  'src/store/sqlite/journey/accept.ts makeAccept',
  'src/store/sqlite/journey/settle.ts makeSettle',
  'src/store/sqlite/journey/workers.ts makeWorkers',
]);

/** First fit wins. `uses`: what else each may import, besides itself and what node and npm bring. */
const layers: { name: string; files: RegExp; uses: string[] }[] = [
  { name: 'package', files: /^src\/package\.ts$/, uses: [] },
  { name: 'verify', files: /^src\/verify\.ts$/, uses: ['core'] },
  { name: 'core', files: /^src\/core\//, uses: [] },
  { name: 'store', files: /^src\/store\//, uses: ['core', 'package'] },
  { name: 'net', files: /^src\/net\//, uses: ['core', 'package'] },
  { name: 'conditions', files: /^src\/conditions\//, uses: ['core'] },
  { name: 'schemas', files: /^src\/schemas\//, uses: ['core'] },
  { name: 'tools', files: /^tools\//, uses: ['core'] },
  { name: 'mcp', files: /^src\/mcp\//, uses: ['core', 'tools', 'package'] },
  { name: 'http', files: /^src\/http\//, uses: ['core', 'package'] },
  {
    name: 'app',
    files: /^src\/(app(-\w+)?|config|log|metrics|operator|system|type-id)\.ts$|^src\/config\//,
    uses: ['core', 'store', 'net', 'conditions', 'schemas', 'mcp', 'http', 'package'],
  },
  { name: 'main', files: /^src\/main\.ts$|^src\/commands\//, uses: ['app', 'core', 'package', 'verify'] },
];

const layerOf = (path: string) => layers.find(({ files }) => files.test(path));
const isLocal = (from: string) => from.startsWith('.');
const targetOf = (path: string, from: string) => posix.join(posix.dirname(path), from);

function layerFaults(sources: Source[]): string[] {
  return sources.flatMap(({ path, imports }) => {
    const layer = layerOf(path);
    if (layer === undefined) return [`${path} belongs to no layer`];
    return imports
      .filter(({ from }) => isLocal(from))
      .flatMap(({ from, line }) => {
        const target = layerOf(targetOf(path, from))?.name ?? 'no layer';
        return target === layer.name || layer.uses.includes(target)
          ? []
          : [`${path}:${line} ${layer.name} imports ${target}`];
      });
  });
}

function coreFaults(sources: Source[]): string[] {
  const part = (path: string) => /^src\/core\/(\w+)\//.exec(path)?.[1] ?? 'core';
  const mayImport: Record<string, string[]> = {
    ports: ['ports', 'core'],
    rules: ['rules', 'ports', 'core'],
    journey: ['journey', 'rules', 'ports', 'core'],
    manage: ['manage', 'rules', 'ports', 'core'],
  };
  return sources
    .filter(({ path }) => path.startsWith('src/core/'))
    .flatMap(({ path, imports }) =>
      imports.flatMap(({ from, line }) => {
        if (!isLocal(from))
          return ['zod', 'node:crypto'].includes(from) ? [] : [`${path}:${line} core imports ${from}`];
        const target = part(targetOf(path, from));
        const allowed =
          path === 'src/core/core.ts' || (mayImport[part(path)] ?? ['core', 'rules', 'ports']).includes(target);
        return allowed ? [] : [`${path}:${line} ${part(path)} imports ${target}`];
      }),
    );
}

/** Every chain of files that leads back to where it began, once. */
function cycles(sources: Source[]): string[] {
  const edges = new Map(
    sources.map(({ path, imports }) => [
      path,
      imports.filter(({ from }) => isLocal(from)).map(({ from }) => targetOf(path, from)),
    ]),
  );
  const done = new Set<string>();
  const found: string[] = [];
  const walk = (path: string, trail: string[]): void => {
    if (trail.includes(path)) found.push([...trail.slice(trail.indexOf(path)), path].join(' -> '));
    if (trail.includes(path) || done.has(path)) return;
    for (const next of edges.get(path) ?? []) walk(next, [...trail, path]);
    done.add(path);
  };
  for (const path of edges.keys()) walk(path, []);
  return found;
}

function sizeFaults(sources: Source[]): string[] {
  return sources.flatMap(({ path, lines, functions }) => [
    ...(lines > fileLinesMax ? [`${path} has ${lines} lines`] : []),
    ...functions
      .filter((one) => (longFunctions.has(`${path} ${one.name}`) ? one.ownLines : one.lines) > functionLinesMax)
      .map(({ name, line, lines: count }) => `${path}:${line} ${name} has ${count} lines`),
  ]);
}

/** Who may use what of the process and the console. */
const owners: { names: RegExp; files: RegExp }[] = [
  { names: /^process\.env$/, files: /^src\/config(\.ts|\/)/ },
  {
    names: /^process\.(exit|exitCode|abort|kill|on|once|addListener|chdir|argv)$/,
    files: /^src\/(main\.ts|commands\/)/,
  },
  { names: /^process\.(stdout|stdin)$/, files: /^src\/(main\.ts|commands\/|mcp\/stdio[\w-]*\.ts)/ },
  { names: /^process\.stderr$/, files: /^src\/(main\.ts|commands\/)/ },
  { names: /^console\./, files: /^src\/commands\// },
  // Facts that change nothing.
  { names: /^process\.(pid|platform|version|versions|arch|uptime|memoryUsage|hrtime|execPath|nextTick)$/, files: /./ },
];

function processFaults(sources: Source[]): string[] {
  const watched = /^(process|console)\b/;
  return sources.flatMap(({ path, uses, imports }) => [
    ...uses
      .filter(
        ({ name }) => watched.test(name) && !owners.some(({ names, files }) => names.test(name) && files.test(path)),
      )
      .map(({ name, line }) => `${path}:${line} uses ${name}`),
    ...imports
      .filter(({ from }) => /^(node:)?(process|console)$/.test(from))
      .map(({ from, line }) => `${path}:${line} imports ${from}`),
  ]);
}

/** Written so that this file does not find itself. */
const leftovers = /@ts-(ignore|nocheck|expect-error)|TOD[O]|FIX[M]E|\bXX[X]\b/;
const unfinishedTests = /^(it|test|describe)\.(skip|only|todo|fails)$/;

const excused = 'oxlint-disable-next-line typescript/no-explicit-any --';

function leftoverFaults(sources: Source[]): string[] {
  return sources.flatMap(({ path, text, uses, anys }) => [
    ...text.split('\n').flatMap((line, index) => (leftovers.test(line) ? [`${path}:${index + 1} ${line.trim()}`] : [])),
    ...uses
      .filter(({ name }) => /^test\/.*\.test\.ts$/.test(path) && unfinishedTests.test(name))
      .map(({ name, line }) => `${path}:${line} ${name}`),
    // A test may look into what was answered, whose shape is what it tests, and says so.
    ...anys
      .filter((line) => !(path.startsWith('test/') && (text.split('\n')[line - 2] ?? '').includes(excused)))
      .map((line) => `${path}:${line} switches the types off`),
  ]);
}

const sayLittle = /(^|\/)(utils?|helpers?|common|misc|shared|lib)(\.|\/)/;

describe('layers', () => {
  it('import downwards only', () => {
    expect(layerFaults(program)).toEqual([]);
  });

  it('would be missed if a face read the database or a tool the server', () => {
    const offend = (path: string, text: string) => layerFaults([readSource(path, text)]);
    expect(offend('src/http/x.ts', "import { a } from '../store/open.ts';")).toEqual([
      'src/http/x.ts:1 http imports store',
    ]);
    expect(offend('src/mcp/x.ts', "\nconst a = await import('../net/sender.ts');")).toEqual([
      'src/mcp/x.ts:2 mcp imports net',
    ]);
    expect(offend('src/commands/x.ts', "export * from '../store/open.ts';")).toEqual([
      'src/commands/x.ts:1 main imports store',
    ]);
    expect(offend('tools/x.ts', "import type { A } from '../src/mcp/server.ts';")).toEqual([
      'tools/x.ts:1 tools imports mcp',
    ]);
    expect(offend('src/core/x.ts', "let a: import('../app.ts').A;")).toEqual(['src/core/x.ts:1 core imports app']);
    expect(offend('src/elsewhere/x.ts', '')).toEqual(['src/elsewhere/x.ts belongs to no layer']);
  });

  it('leave core with zod and node:crypto, and its journey and management apart', () => {
    expect(coreFaults(program)).toEqual([]);
  });

  it('would be missed if core opened a file or its parts met', () => {
    const offend = (path: string, text: string) => coreFaults([readSource(path, text)]);
    expect(offend('src/core/x.ts', "import 'node:fs';")).toEqual(['src/core/x.ts:1 core imports node:fs']);
    expect(offend('src/core/manage/x.ts', "import '../journey/send.ts';")).toEqual([
      'src/core/manage/x.ts:1 manage imports journey',
    ]);
    expect(offend('src/core/journey/x.ts', "import '../manage/keys.ts';")).toEqual([
      'src/core/journey/x.ts:1 journey imports manage',
    ]);
    expect(offend('src/core/rules/x.ts', "import '../journey/send.ts';")).toEqual([
      'src/core/rules/x.ts:1 rules imports journey',
    ]);
    expect(offend('src/core/ports/x.ts', "import '../rules/retry.ts';")).toEqual([
      'src/core/ports/x.ts:1 ports imports rules',
    ]);
    expect(offend('src/core/types.ts', "import './manage/keys.ts';")).toEqual([
      'src/core/types.ts:1 core imports manage',
    ]);
  });

  it('leave what receivers install with node:crypto alone', () => {
    const needed = new Set(['src/verify.ts']);
    const outside = new Set<string>();
    for (const path of needed) {
      for (const { from, isType } of program.find((each) => each.path === path)?.imports ?? []) {
        if (isLocal(from)) needed.add(targetOf(path, from));
        else if (!isType) outside.add(from);
      }
    }
    expect([...outside]).toEqual(['node:crypto']);
  });

  it('have no cycle of files, not even of types', () => {
    expect(cycles(program)).toEqual([]);
  });

  it('would be missed if two files needed each other', () => {
    const files = {
      'src/a.ts': "import './b.ts';",
      'src/b.ts': "import './c.ts';",
      'src/c.ts': "import type { A } from './b.ts';",
    };
    expect(cycles(Object.entries(files).map(([path, text]) => readSource(path, text)))).toEqual([
      'src/b.ts -> src/c.ts -> src/b.ts',
    ]);
  });
});

describe('sizes', () => {
  it('keep files and functions readable', () => {
    expect(sizeFaults(program)).toEqual([]);
  });

  it('would be missed if they grew', () => {
    const body = (lines: number) => '  a();\n'.repeat(lines);
    const measure = (path: string, text: string) => sizeFaults([readSource(path, text)]);
    expect(measure('src/x.ts', `const f = () => {\n${body(69)}};\n`)).toEqual(['src/x.ts:1 f has 71 lines']);
    expect(measure('src/x.ts', `class C {\n  m() {\n${body(68)}}\n}\n`)).toEqual([]);
    expect(measure('src/x.ts', body(250))).toEqual([]);
    expect(measure('src/x.ts', body(251))).toEqual(['src/x.ts has 251 lines']);
    const factory = `function makePublisher() {\n${`function f() {\n${body(60)}}\n`.repeat(2)}}\n`;
    expect(measure('src/core/journey/accept.ts', factory)).toEqual([]);
    expect(measure('src/core/journey/claim.ts', factory)).toHaveLength(1);
  });

  it('have no exception for what is gone', () => {
    const functions = new Set(
      program.flatMap((source) => source.functions.map(({ name }) => `${source.path} ${name}`)),
    );
    expect([...longFunctions].filter((name) => !functions.has(name))).toEqual([]);
  });
});

describe('the process', () => {
  it('belongs to the command line, its environment to the configuration, stdout to results and protocol', () => {
    expect(processFaults(program)).toEqual([]);
  });

  it('would be missed if a stray line used it', () => {
    const offend = (path: string, text: string) => processFaults([readSource(path, text)]);
    expect(offend('src/core/x.ts', 'const a = process.env.HOME;')).toEqual(['src/core/x.ts:1 uses process.env']);
    expect(offend('src/core/x.ts', "const a = process['env'];")).toEqual(['src/core/x.ts:1 uses process.env']);
    expect(offend('src/core/x.ts', 'const { env } = process;')).toEqual(['src/core/x.ts:1 uses process']);
    expect(offend('src/core/x.ts', "import { env } from 'node:process';")).toEqual([
      'src/core/x.ts:1 imports node:process',
    ]);
    expect(offend('src/app.ts', 'process.exit(1);')).toEqual(['src/app.ts:1 uses process.exit']);
    expect(offend('src/app.ts', "process.on('SIGTERM', stop);")).toEqual(['src/app.ts:1 uses process.on']);
    expect(offend('tools/x.ts', "process.stdout.write('x');")).toEqual(['tools/x.ts:1 uses process.stdout']);
    expect(offend('src/mcp/server.ts', "console.log('x');")).toEqual(['src/mcp/server.ts:1 uses console.log']);
    expect(offend('src/config.ts', 'const a = process.env;')).toEqual([]);
  });
});

describe('leftovers', () => {
  it('are none: no type switched off, no test left out, nothing put off', () => {
    expect(leftoverFaults(everything)).toEqual([]);
  });

  it('would be missed if there were some', () => {
    const offend = (text: string) => leftoverFaults([readSource('test/x.test.ts', text)]);
    for (const left of [
      ['TO', 'DO'],
      ['@ts-', 'ignore'],
      ['@ts-expect', '-error'],
    ]) {
      expect(offend(`// ${left.join('')} later`)).toHaveLength(1);
    }
    expect(offend("it.only('x', () => {});\ndescribe.skip('y', () => {});\ntest.todo('z');")).toHaveLength(3);
    expect(offend('const a: any = 1; function f(b: Map<string, any[]>) {}')).toHaveLength(2);
    expect(offend("it.each([1])('any number', () => {});")).toEqual([]);
  });

  it('are no names that say little', () => {
    expect(everything.map(({ path }) => path).filter((path) => sayLittle.test(path))).toEqual([]);
    for (const name of ['src/utils.ts', 'src/common/a.ts', 'test/helper.ts', 'src/a/helpers.ts'])
      expect(name).toMatch(sayLittle);
    expect('src/core/communities.ts').not.toMatch(sayLittle);
  });
});

describe('tools', () => {
  const files = program.filter(({ path }) => path.startsWith('tools/') && !/\/(define|index)\.ts$/.test(path));

  it('stand one in a file, which is named as the tool', () => {
    for (const { path, text } of files) {
      const defined = [...text.matchAll(/^\s*name: '([a-z_]+)',$/gm)].map(([, name]) => name);
      expect(defined).toEqual([basename(path, '.ts')]);
      expect(text.match(/defineTool\(/g)).toHaveLength(1);
    }
    expect(files.length).toBeGreaterThan(0);
  });

  it('are all served', () => {
    const served = tools.map(({ name }) => `tools/${name}.ts`);
    expect(served.toSorted()).toEqual(files.map(({ path }) => path));
  });
});

describe('the repository', () => {
  it('has the entries that were asked for, where they were asked for', () => {
    const entries = ['package.json', 'tsconfig.json', 'src', 'tools', 'schema.sql', 'test', 'README.md'];
    expect(entries.filter((entry) => !existsSync(join(root, entry)))).toEqual([]);
  });

  it('has the scripts that the documentation names, and what they start exists', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(['start', 'test', 'check', 'demo', 'mcp', 'bench']));
    const started = Object.values(scripts).flatMap((script) => /^node (\S+\.[jt]s)/.exec(script)?.[1] ?? []);
    expect(started.length).toBeGreaterThan(0);
    expect(started.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  it('has tests for every rule, under its name', () => {
    const rules = program.flatMap(({ path }) => /^src\/core\/rules\/(.+)\.ts$/.exec(path)?.[1] ?? []);
    expect(rules.length).toBeGreaterThan(0);
    expect(rules.filter((rule) => !existsSync(join(root, 'test', 'rules', `${rule}.test.ts`)))).toEqual([]);
  });

  it('names no path of the machine that it was written on', () => {
    const ofSomebody =
      /(?<![\w.])\/(home|Users|root|work|mnt|private)\/(?!you\b|user\b|me\b|name\b|<)\S*|[A-Z]:\\Users\\/;
    const documents = globSync(['*.md', 'docs/**/*.md'], { cwd: root });
    const faults = documents.flatMap((path) => ofSomebody.exec(read(path))?.[0] ?? []);
    expect(faults).toEqual([]);
    expect(documents).toContain('README.md');
    expect('run /home/ann/posthorn/bin').toMatch(ofSomebody);
    expect(`node ${dirname('/root/x/y')}`).toMatch(ofSomebody);
    expect('see /v1/webhooks, /path/to/posthorn, /home/you/posthorn and example.com/home/page').not.toMatch(ofSomebody);
  });
});
