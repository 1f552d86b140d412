import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { childEnvironment, startChild } from '../child.ts';
import { packageRoot } from '../../src/package.ts';
import { comparedFigure, type Figure, type Row } from '../row.ts';
import { inTurn } from '../samples.ts';
import type { Stage } from '../stage.ts';

const rounds = 10;
const reachMs = 500;
const initialize = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'bench', version: '1' } },
};

/** How long a client waits for the MCP server that it starts. */
export const start: Row = {
  name: 'start',
  work: `npm run --silent mcp, to its answer to the first request, warm, median of ${rounds}`,
  bound: 'Loading code: npm and Node first, then the program.',
  async measure(stage: Stage): Promise<Figure[]> {
    const bare = await bareFolder(stage);
    const database = join(stage.folder, 'mcp', 'posthorn.db');
    // The first start fills the compile cache, which every later one finds.
    await answerMs(stage, database);
    await nothingMs(stage, bare);
    stage.progress(`starting ${rounds} times each`);
    const { a, b } = await inTurn(
      rounds,
      () => answerMs(stage, database),
      () => nothingMs(stage, bare),
    );
    const against = { what: 'npm and Node alone', samples: b };
    return [comparedFigure({ what: 'answer', unit: 'ms', samples: a, against }, { of: 'value', atMost: reachMs })];
  },
};

/** A package whose one script does nothing, with the same Node as this one. */
async function bareFolder(stage: Stage): Promise<string> {
  const folder = join(stage.folder, 'bare');
  await mkdir(folder);
  await symlink(join(packageRoot, 'node_modules'), join(folder, 'node_modules'));
  await writeFile(join(folder, 'package.json'), JSON.stringify({ scripts: { nothing: 'node -e 0' } }));
  return folder;
}

async function answerMs(stage: Stage, database: string): Promise<number> {
  const startedAt = performance.now();
  const environment = plainEnvironment({ DATABASE_URL: `file:${database}` });
  const child = startChild('npm', ['run', '--silent', 'mcp'], { environment, cwd: packageRoot });
  stage.later(() => child.stop());
  child.stdin.write(`${JSON.stringify(initialize)}\n`);
  await child.says('stdout', /"result".*\n/);
  const ms = performance.now() - startedAt;
  child.stdin.end();
  await child.ended;
  return ms;
}

async function nothingMs(stage: Stage, folder: string): Promise<number> {
  const startedAt = performance.now();
  const child = startChild('npm', ['run', '--silent', 'nothing'], { environment: plainEnvironment({}), cwd: folder });
  stage.later(() => child.stop());
  await child.ended;
  return performance.now() - startedAt;
}

/** As a client has it: `npm run bench` itself has put this repository's programs in front of the path. */
function plainEnvironment(more: Record<string, string>): Record<string, string> {
  const environment = childEnvironment(more);
  const folders = (environment['PATH'] ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules'));
  return { ...environment, PATH: folders.join(delimiter) };
}
