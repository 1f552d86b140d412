import { stat } from 'node:fs/promises';
import { Command } from 'commander';
import type { LocalPosthorn } from '../app-local.ts';
import type { Posthorn } from '../app.ts';
import { sqlitePath } from '../config/addresses.ts';
import { secretKeyPath } from '../config/secret-key.ts';
import { type Config, ConfigError, loadConfig, unknownVariables } from '../config.ts';
import { openLocally } from './local.ts';
import { Failed, oneLine, type Terminal } from './terminal.ts';

interface Finding {
  check: 'environment' | 'database' | 'secret_key' | 'clock' | 'egress' | 'delivery';
  state: 'ok' | 'warning' | 'failed';
  /** One sentence; for what is not ok also what to do. */
  message: string;
}

/** Two machines' clocks may differ so much without harm. */
const clockSkewMsMax = 5_000;
/** Addresses that only an operator's exception opens. */
const insideUrls = ['https://127.0.0.1/', 'https://[::1]/', 'https://10.0.0.1/', 'https://169.254.169.254/'];

export function doctor(terminal: Terminal): Command {
  return new Command('doctor')
    .option('--json', 'print the findings as JSON')
    .addHelpText(
      'after',
      `
Checks environment, database, secret key, clock, egress policy, and that something delivers. Exit code 1 when any failed.

Examples:
  posthorn doctor
  posthorn doctor --json`,
    )
    .action((options: { json?: true }) => run(terminal, options));
}

async function run(terminal: Terminal, options: { json?: true }): Promise<void> {
  const findings: Finding[] = [];
  const marks = {
    ok: terminal.paint('green', '✓'),
    warning: terminal.paint('yellow', '!'),
    failed: terminal.paint('red', '✗'),
  };
  for await (const finding of examine()) {
    findings.push(finding);
    if (!options.json)
      terminal.out(
        `${marks[finding.state]} ${finding.check.replace('_', ' ').padEnd(11)}  ${oneLine(finding.message)}`,
      );
  }
  const isHealthy = findings.every(({ state }) => state !== 'failed');
  if (options.json) terminal.out(JSON.stringify({ healthy: isHealthy, findings }));
  if (!isHealthy) throw new Failed('unhealthy');
}

/** Each check in turn; what cannot be reached without an earlier one is left out. */
async function* examine(): AsyncGenerator<Finding> {
  let config: Config;
  try {
    config = loadConfig();
  } catch (error) {
    yield { check: 'environment', state: 'failed', message: (error as Error).message };
    return;
  }
  const unknown = unknownVariables();
  for (const message of unknown) yield { check: 'environment', state: 'warning', message };
  if (unknown.length === 0)
    yield ok('environment', `Node ${process.versions.node}, every variable is known and right.`);

  if (!(await databaseExists(config))) {
    yield {
      check: 'database',
      state: 'failed',
      message: `${sqlitePath(config.databaseUrl)} does not exist: "posthorn serve" makes it.`,
    };
    return;
  }
  const opened = await open(config);
  if ('check' in opened) {
    yield opened;
    return;
  }
  const { posthorn } = opened;
  try {
    yield ok('database', `The ${posthorn.engine} database answers and its tables are up to date.`);
    yield await secretKeyFinding(config);
    yield await clockFinding(posthorn);
    yield await egressFinding(posthorn, opened.config);
    yield await deliveryFinding(posthorn);
  } finally {
    await posthorn.stop(0);
  }
}

/** Opening would make the file, and a doctor changes nothing. */
async function databaseExists(config: Config): Promise<boolean> {
  if (!config.databaseUrl.startsWith('file:')) return true;
  return stat(sqlitePath(config.databaseUrl)).then(
    () => true,
    () => false,
  );
}

async function open(config: Config): Promise<LocalPosthorn | Finding> {
  try {
    return await openLocally({ ...config, logLevel: 'silent' });
  } catch (error) {
    const check = error instanceof ConfigError ? 'secret_key' : 'database';
    return { check, state: 'failed', message: (error as Error).message };
  }
}

async function secretKeyFinding(config: Config): Promise<Finding> {
  if (config.secretKey !== null) return ok('secret_key', 'POSTHORN_SECRET_KEY fits the database.');
  const path = secretKeyPath(config.databaseUrl);
  const { mode } = await stat(path);
  if (process.platform === 'win32' || (mode & 0o077) === 0) return ok('secret_key', `${path} fits the database.`);
  return { check: 'secret_key', state: 'warning', message: `${path} can be read by others: chmod 600 ${path}` };
}

/** Whatever was written last cannot be of the future, unless this clock or the writer's is wrong. */
async function clockFinding({ core, operator }: Posthorn): Promise<Finding> {
  const principal = await operator.principal();
  const { last_heartbeat_at } = await core.readStatus(principal, {});
  const { data } = await core.listEvents(principal, { limit: 1 });
  const latest = Math.max(...[last_heartbeat_at, data[0]?.created_at].map((time) => (time ? Date.parse(time) : 0)));
  const aheadMs = latest - Date.now();
  if (aheadMs <= clockSkewMsMax)
    return ok('clock', `It is ${new Date().toISOString()}, later than all that was written.`);
  const message = `The database holds a time ${Math.round(aheadMs / 1_000)} s ahead of this clock: set the clocks of all hosts by NTP.`;
  return { check: 'clock', state: 'failed', message };
}

async function egressFinding({ operator }: Posthorn, { allowTargets, given }: Config): Promise<Finding> {
  const verdicts = await Promise.all(insideUrls.map((url) => operator.checkTarget(url)));
  const openCount = verdicts.filter(({ allowed }) => allowed).length;
  if (allowTargets.length > 0) {
    const whose = given.includes('POSTHORN_ALLOW_TARGETS') ? '' : ' of the server on this database';
    const message = `POSTHORN_ALLOW_TARGETS${whose} excepts ${allowTargets.join(', ')} from the egress policy.`;
    return { check: 'egress', state: 'warning', message };
  }
  if (openCount === 0) return ok('egress', 'Addresses inside this network are refused; there is no exception.');
  return {
    check: 'egress',
    state: 'failed',
    message: 'An address inside this network is allowed without an exception.',
  };
}

async function deliveryFinding({ core, operator }: Posthorn): Promise<Finding> {
  const status = await core.readStatus(await operator.principal(), {});
  if (status.delivering) {
    const who = status.workers === 1 ? 'One process delivers' : `${status.workers} processes deliver`;
    return ok('delivery', `${who}; ${status.due_count} deliveries are due.`);
  }
  const due = status.due_count === 0 ? '' : `, and ${status.due_count} deliveries are due`;
  const message = `No process delivers${due}: start "posthorn serve".`;
  return { check: 'delivery', state: 'failed', message };
}

function ok(check: Finding['check'], message: string): Finding {
  return { check, state: 'ok', message };
}
