import { stat } from 'node:fs/promises';
import { Command } from 'commander';
import type { Examination } from '../app-doctor.ts';
import { sqlitePath } from '../config/addresses.ts';
import { secretKeyPath } from '../config/secret-key.ts';
import { type Config, loadConfig, unknownVariables } from '../config.ts';
import { showStatus } from '../core/manage/status.ts';
import type { Status } from '../core/types.ts';
import { Failed, oneLine, type Terminal } from './terminal.ts';

interface Finding {
  check: 'environment' | 'database' | 'secret_key' | 'clock' | 'egress' | 'delivery';
  state: 'ok' | 'warning' | 'failed';
  /** One sentence; for what is not ok also what to do. */
  message: string;
}

interface Options {
  allPages?: true;
  json?: true;
}

/** Two machines' clocks may differ so much without harm. */
const clockSkewMsMax = 5_000;
/** Addresses that only an operator's exception opens. */
const insideUrls = ['https://127.0.0.1/', 'https://[::1]/', 'https://10.0.0.1/', 'https://169.254.169.254/'];
const MiB = 1024 * 1024;
/** Reading so much takes some seconds, and keeps SQLite's log from being emptied meanwhile. */
const checkedBytesMax = 1024 * MiB;
/** From here on it takes long enough to be told beforehand. */
const toldBytesMin = 128 * MiB;

export function doctor(terminal: Terminal): Command {
  return new Command('doctor')
    .option('--all-pages', 'look for damage in a SQLite file of more than 1 GiB too, which reads all of it')
    .option('--json', 'print the findings as JSON')
    .addHelpText(
      'after',
      `
Checks environment, database, secret key, clock, egress policy, and that something delivers. Exit code 1 when any failed.
It changes nothing: neither files nor tables are made or brought up to date.

Examples:
  posthorn doctor
  posthorn doctor --json`,
    )
    .action((options: Options) => run(terminal, options));
}

async function run(terminal: Terminal, options: Options): Promise<void> {
  const findings: Finding[] = [];
  const marks = {
    ok: terminal.paint('green', '✓'),
    warning: terminal.paint('yellow', '!'),
    failed: terminal.paint('red', '✗'),
  };
  for await (const finding of examine(terminal, options)) {
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
async function* examine(terminal: Terminal, options: Options): AsyncGenerator<Finding> {
  let config: Config;
  try {
    config = loadConfig();
  } catch (error) {
    yield failed('environment', messageOf(error));
    return;
  }
  const unknown = unknownVariables();
  for (const message of unknown) yield { check: 'environment', state: 'warning', message };
  if (unknown.length === 0)
    yield ok('environment', `Node ${process.versions.node}, every variable is known and right.`);

  const { examineDatabase } = await import('../app-doctor.ts');
  let database: Examination;
  try {
    database = await examineDatabase(config);
  } catch (error) {
    yield failed('database', messageOf(error));
    return;
  }
  try {
    const finding = databaseFinding(database, config, terminal, options);
    yield finding;
    if (finding.state === 'failed') return;
    yield await secretKeyFinding(config, database);
    const status = showStatus(await database.rows.status(Date.now()), Date.now());
    yield clockFinding(status, await database.rows.newestEventAt());
    const { configBesideServer } = await import('../app-local.ts');
    yield await egressFinding((await configBesideServer(config)).config);
    yield deliveryFinding(status);
  } catch (error) {
    yield failed('database', messageOf(error));
  } finally {
    await database.close();
  }
}

function databaseFinding(
  { engine, tables, file }: Examination,
  { databaseUrl }: Config,
  terminal: Terminal,
  { allPages }: Options,
): Finding {
  if (tables === 'none') {
    const missing = file?.bytes === null ? sqlitePath(databaseUrl) : `What the ${engine} database is to hold`;
    return failed('database', `${missing} is not made yet: the first start makes it, "posthorn serve".`);
  }
  if (tables === 'older') {
    return failed('database', `The ${engine} database is of an older version: the next start brings it up to date.`);
  }
  const answers = `The ${engine} database answers and its tables are up to date`;
  if (file?.bytes == null) return ok('database', `${answers}.`);
  const size = `${Math.ceil(file.bytes / MiB)} MiB`;
  if (file.bytes > checkedBytesMax && !allPages) {
    return ok('database', `${answers}. Whether its ${size} are damaged was not looked for: doctor --all-pages does.`);
  }
  if (file.bytes >= toldBytesMin) terminal.err(`Reading the ${size} of the database to look for damage …`);
  try {
    file.checkPages();
  } catch (error) {
    return failed('database', messageOf(error));
  }
  return ok('database', `${answers}; no page is damaged.`);
}

async function secretKeyFinding(config: Config, database: Examination): Promise<Finding> {
  const { hasSecretKey } = await import('../app-doctor.ts');
  let isThere: boolean;
  try {
    isThere = await hasSecretKey(config, database);
  } catch (error) {
    return failed('secret_key', messageOf(error));
  }
  if (config.secretKey !== null) return ok('secret_key', 'POSTHORN_SECRET_KEY fits the database.');
  const path = secretKeyPath(config.databaseUrl);
  if (!isThere) return ok('secret_key', `${path} does not exist yet: the next start makes it.`);
  const { mode } = await stat(path);
  if (process.platform === 'win32' || (mode & 0o077) === 0) return ok('secret_key', `${path} fits the database.`);
  return { check: 'secret_key', state: 'warning', message: `${path} can be read by others: chmod 600 ${path}` };
}

/** Whatever was written last cannot be of the future, unless this clock or the writer's is wrong. */
function clockFinding({ last_heartbeat_at }: Status, newestEventAt: number | null): Finding {
  const beatAt = last_heartbeat_at === null ? 0 : Date.parse(last_heartbeat_at);
  const aheadMs = Math.max(beatAt, newestEventAt ?? 0) - Date.now();
  if (aheadMs <= clockSkewMsMax)
    return ok('clock', `It is ${new Date().toISOString()}, later than all that was written.`);
  const message = `The database holds a time ${Math.round(aheadMs / 1_000)} s ahead of this clock: set the clocks of all hosts by NTP.`;
  return failed('clock', message);
}

async function egressFinding(config: Config): Promise<Finding> {
  const { allowedOf } = await import('../app-doctor.ts');
  if (config.allowTargets.length > 0) {
    const whose = config.given.includes('POSTHORN_ALLOW_TARGETS') ? '' : ' of the server on this database';
    const message = `POSTHORN_ALLOW_TARGETS${whose} excepts ${config.allowTargets.join(', ')} from the egress policy.`;
    return { check: 'egress', state: 'warning', message };
  }
  const open = await allowedOf(config, insideUrls);
  if (open.length === 0) return ok('egress', 'Addresses inside this network are refused; there is no exception.');
  return failed('egress', 'An address inside this network is allowed without an exception.');
}

function deliveryFinding(status: Status): Finding {
  if (status.delivering) {
    const who = status.workers === 1 ? 'One process delivers' : `${status.workers} processes deliver`;
    return ok('delivery', `${who}; ${status.due_count} deliveries are due.`);
  }
  const due = status.due_count === 0 ? '' : `, and ${status.due_count} deliveries are due`;
  return failed('delivery', `No process delivers${due}: start "posthorn serve".`);
}

function ok(check: Finding['check'], message: string): Finding {
  return { check, state: 'ok', message };
}

function failed(check: Finding['check'], message: string): Finding {
  return { check, state: 'failed', message };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
