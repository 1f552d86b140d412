import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/package.ts';
import { freshDatabase, run, temporaryFolder } from './here.ts';
import { runProcess } from './process.ts';

const commands = [
  'serve',
  'mcp',
  'publish',
  'demo',
  'keys',
  'keys create',
  'keys list',
  'keys revoke',
  'workspaces',
  'workspaces create',
  'workspaces list',
  'approve',
  'audit',
  'audit verify',
  'audit list',
  'listen',
  'migrate',
  'doctor',
];

describe('help', () => {
  it.each(commands)('%s explains itself by examples', async (command) => {
    const { code, stdout, stderr } = await run([...command.split(' '), '--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`^Usage: posthorn ${command} `));
    expect(stdout).toContain('\nExamples:\n  ');
    expect(stdout).toContain(`posthorn ${command}`);
  });

  it('of mcp names the command as the README does', async () => {
    const { stdout } = await run(['mcp', '--help']);
    const command = /^ {2}(claude mcp add .+)$/m.exec(stdout)?.[1];
    expect(readFileSync(join(packageRoot, 'README.md'), 'utf8')).toContain(`\n${command}\n`);
  });

  it('lists every command', async () => {
    const { code, stdout } = await run(['--help']);
    expect(code).toBe(0);
    const listed = [...(stdout.split('\nCommands:\n')[1] ?? '').matchAll(/^ {2}(\w+) /gm)].map(([, name]) => name);
    const known = new Set(commands.map((command) => command.split(' ')[0]));
    expect(new Set(listed.filter((name) => name !== 'posthorn'))).toEqual(known);
  });

  it('is asked for with help, too', async () => {
    const [asked, usual] = await Promise.all([run(['help', 'keys', 'create']), run(['keys', 'create', '--help'])]);
    expect(asked).toEqual(usual);
  });
});

it('tells its version', async () => {
  expect(await run(['--version'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
});

describe('a process', () => {
  const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

  it('ends with the exit code, and colors nothing where there is no terminal', async () => {
    const [help, usage, failure] = await Promise.all([
      runProcess(['--help'], {}),
      runProcess(['serve', 'now'], {}),
      runProcess(['serve'], { PORT: 'eighty' }),
    ]);
    expect([help.code, usage.code, failure.code]).toEqual([0, 2, 1]);
    expect(help.stdout).toBe((await run(['--help'])).stdout);
    for (const { stdout, stderr } of [help, usage, failure]) expect(stdout + stderr).not.toContain('\u001b');
  });

  it('is the same when src/main.ts is started by itself', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [main, '--version']);
    expect(stdout).toBe((await run(['--version'])).stdout);
  });

  it.runIf(process.platform === 'linux')('has sixteen threads to look up names, or as many as it is told', async () => {
    const count = `import { readdirSync } from 'node:fs';
      import { randomBytes } from 'node:crypto';
      process.on('exit', () => {
        randomBytes(1, () => {});
        process.stderr.write(String(readdirSync('/proc/self/task').length));
      });`;
    const threads = async (env: Record<string, string>) =>
      Number((await runProcess(['--version'], env, ['--import', preloaded(count)])).stderr);
    const [usual, one] = await Promise.all([threads({}), threads({ UV_THREADPOOL_SIZE: '1' })]);
    expect(usual - one).toBe(15);
  });

  it('lets a reader leave early', async () => {
    const head = promisify(execFile)('/bin/sh', [
      '-c',
      `"$0" "$1" --help | head -n 1; echo done`,
      process.execPath,
      main,
    ]);
    expect(await head).toMatchObject({ stdout: expect.stringMatching(/^Usage: .*\ndone\n$/), stderr: '' });
  });
});

describe('wrong usage ends with 2 and says why on stderr', () => {
  const wrong: [args: string[], message: RegExp][] = [
    [[], /^Usage: posthorn /],
    [['keys'], /^Usage: posthorn keys /],
    [['srve'], /^error: unknown command 'srve'\n\(Did you mean serve\?\)\n/],
    [['serve', '--prot', '1'], /^error: unknown option '--prot'\n/],
    [['serve', 'now'], /^error: too many arguments/],
    [['publish'], /^error: missing required argument 'type'\n/],
    [['publish', 'contact.created', '--data', '{'], /^posthorn: --data: the text is not JSON; for example --data/],
    [
      ['publish', 'contact.created', '--data', '@/no/such/file'],
      /^posthorn: --data: cannot read \/no\/such\/file \(ENOENT\)\n$/,
    ],
    [
      ['keys', 'create', 'x', '--scopes', 'everything'],
      /"everything" is not a scope: use all, or some of webhooks:read, .*keys:admin\.\n/,
    ],
    [['approve'], /^error: missing required argument 'id'; --list shows those that wait\n/],
    [['approve', 'sub_1', '--list'], /^error: --list takes no id\n/],
    [['keys', 'revoke'], /^error: missing required argument 'id'\n/],
    [['listen', '--port', '70000'], /Use a whole number from 0 to 65535\.\n/],
    [['listen', '--status', '42'], /Use a whole number from 200 to 599\.\n/],
    [['listen', '--secret', 'short'], /Use 8 to 256 characters\.\n/],
  ];

  it.each(wrong)('%j', async (args, message) => {
    const { code, stdout, stderr } = await run(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
  });

  const refused: [args: string[], field: string][] = [
    [['publish', 'contact.created', '--data', '[1]'], '/data: must be'],
    [['publish', 'contact.created', '--id', 'bad id'], '/id: use'],
    [['keys', 'create', 'k', '--expires-in', 'foo'], '/expires_in: use'],
    [['keys', 'create', 'k', '--expires-in', '0d'], 'expires_in: use'],
  ];

  it.each(refused)('%j, which only the use case looks at', async (args, field) => {
    const { env } = await freshDatabase();
    const { code, stdout, stderr } = await run(args, env);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(`posthorn: validation_failed: ${field}`);
  });
});

describe('a wrong environment ends with 1 and one line', () => {
  const message = 'posthorn: PORT="eighty" is not a whole number from 0 to 65535; for example PORT=8787\n';

  it.each(['serve', 'mcp', 'migrate', 'publish contact.created', 'keys list', 'workspaces list'])(
    '%s',
    async (command) => {
      const ended = await run(command.split(' '), { PORT: 'eighty' });
      expect(ended).toEqual({ code: 1, stdout: '', stderr: message });
    },
  );

  it('serve does not bind the world by accident', async () => {
    const { code, stderr } = await run(['serve'], { HOST: '0.0.0.0' });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^posthorn: POSTHORN_ALLOWED_HOSTS must be given, since HOST=0\.0\.0\.0 .*\n$/);
  });

  it('a database that cannot be opened is a failure, told with the variable, the path and what to do', async () => {
    const folder = await temporaryFolder();
    const file = join(folder, 'notes.db');
    await writeFile(
      file,
      'Milk, bread, and everything else that fits into a shopping list of this length.\n'.repeat(9),
    );
    const faults = {
      [folder]: `which is a folder: name a file in it, for example DATABASE_URL=file:${folder}/posthorn.db`,
      [file]:
        'which is no SQLite database, or a damaged one: restore it from a backup, or name another file, for example DATABASE_URL=file:~/.posthorn/posthorn.db',
    };
    for (const [path, fault] of Object.entries(faults)) {
      expect(await run(['migrate'], { DATABASE_URL: `file:${path}` })).toEqual({
        code: 1,
        stdout: '',
        stderr: `posthorn: misconfigured: DATABASE_URL names ${path}, ${fault}\n`,
      });
    }
  });

  it('a PostgreSQL that is away is told with its place and without its password', async () => {
    const { code, stdout, stderr } = await run(['migrate'], {
      DATABASE_URL: 'postgres://someone:hunter2@127.0.0.1:1/hooks?sslmode=disable',
      POSTHORN_SECRET_KEY: Buffer.alloc(32).toString('base64'),
    });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(
      /^posthorn: store_unavailable: DATABASE_URL names PostgreSQL at 127\.0\.0\.1:1\/hooks, which does not answer \(ECONNREFUSED: [^)]+\): start that server, .+DATABASE\n$/,
    );
    expect(stderr).not.toContain('hunter2');
  });

  it('a folder that cannot be made is told with the variable that names another', async () => {
    const { code, stdout, stderr } = await run(['migrate'], { DATABASE_URL: 'file:/dev/null/data/p.db' });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(
      /^posthorn: misconfigured: The folder \/dev\/null\/data .+ \(ENOTDIR\); set DATABASE_URL to .+\n$/,
    );
  });
});

describe('an old Node', () => {
  it.each(['14.21.3', '20.20.2', '22.18.0'])('%s is told what is needed', async (version) => {
    const ended = await runProcess(['serve'], {}, ['--import', pretending(version)]);
    expect(ended).toEqual({
      code: 1,
      signal: null,
      stdout: '',
      stderr: `posthorn needs Node 22.19 or newer, this is v${version}: in a checkout run "npm start", which brings its own Node; elsewhere install Node 24.\n`,
    });
  });

  it.each(['22.19.0', '23.0.0', '24.1.0'])('%s is new enough', async (version) => {
    expect(await runProcess(['--version'], {}, ['--import', pretending(version)])).toMatchObject({
      code: 0,
      stderr: '',
    });
  });
});

/** A module to preload that makes this Node say it were another one. */
function pretending(version: string): string {
  const code = `const versions = { ...process.versions, node: '${version}' };
    Object.defineProperty(process, 'versions', { value: versions });`;
  return preloaded(code);
}

function preloaded(code: string): string {
  return `data:text/javascript,${encodeURIComponent(code)}`;
}
