import { once } from 'node:events';
import { Command, InvalidArgumentError } from 'commander';
import { secretFault } from '../core/rules/sign.ts';
import { bindError } from './bind-error.ts';
import { type Delivery, startReceiver } from './receiver.ts';
import { oneLine, type Paint, printable, type Terminal } from './terminal.ts';
import type { Verdict } from './verdicts.ts';

const bodyCharactersShown = 2_000;

interface Options {
  port: number;
  secret?: string;
  fail: number;
  status: number;
  json?: true;
}

export function listen(terminal: Terminal): Command {
  return new Command('listen')
    .option('--port <port>', 'where to listen on 127.0.0.1; 0 picks a free one', wholeNumber(0, 65_535), 8790)
    .option('--secret <secret>', "the subscription's secret: what is not signed with it is answered 401", parseSecret)
    .option('--fail <count>', 'answer the first attempts of each event with --status', wholeNumber(0, 1_000_000), 0)
    .option('--status <code>', 'what a failing answer says', wholeNumber(200, 599), 500)
    .option('--json', 'print one JSON object for each request')
    .addHelpText(
      'after',
      `
The server must be allowed to call this machine: POSTHORN_ALLOW_TARGETS=127.0.0.0/8.

Examples:
  posthorn listen --secret whsec_…
  posthorn listen --port 9000 --fail 2             fail twice, then succeed
  posthorn listen --fail 1 --status 429 --json`,
    )
    .action((options: Options) => run(terminal, options));
}

async function run(terminal: Terminal, options: Options): Promise<void> {
  const secret = options.secret ?? null;
  const signal = terminal.stopSignal();
  const receiver = await startReceiver({
    port: options.port,
    secret: () => secret,
    failures: options.fail,
    failureStatus: options.status,
    onDelivery: (delivery) => {
      const lines = options.json ? [JSON.stringify(asJson(delivery))] : asText(delivery, terminal.paint);
      for (const line of lines) terminal.out(line);
    },
  }).catch((error: unknown) => {
    throw bindError(error, (port) => `--port ${port}`);
  });
  terminal.err(`${terminal.paintErr('bold', 'Receiver')} listening on ${receiver.url}`);
  if (secret === null) terminal.err(terminal.paintErr('yellow', 'Without --secret no signature is verified.'));
  if (!signal.aborted) await once(signal, 'abort');
  await receiver.close();
}

/** Strangers' texts stay as they are: JSON escapes control characters, and programs need what came. */
function asJson(delivery: Delivery): object {
  const { receivedAt, method, path, id, eventType, attempt, isTest, verdicts, body, answeredStatus } = delivery;
  return {
    received_at: receivedAt.toISOString(),
    method,
    path,
    id,
    event_type: eventType,
    attempt,
    is_test: isTest,
    signatures: verdicts,
    answered_status: answeredStatus,
    body,
  };
}

function asText(delivery: Delivery, paint: Paint): string[] {
  const { receivedAt, method, path, id, eventType, attempt, isTest, verdicts, body, refused, answeredStatus } =
    delivery;
  const answer = paint(answeredStatus < 300 ? 'green' : 'red', String(answeredStatus));
  const shown = printable(body.slice(0, bodyCharactersShown));
  return [
    `${paint('dim', receivedAt.toISOString())} ${oneLine(method)} ${oneLine(path)} → ${answer}${refused ? ', refused: it is not signed with this secret' : ''}`,
    `  ${paint('bold', oneLine(eventType ?? 'no event type'))} ${oneLine(id ?? 'no webhook-id')}, attempt ${attempt}${isTest ? ', a test' : ''}`,
    `  webhook-signature ${verdict(verdicts.standard, paint)}, X-…-Signature ${verdict(verdicts.plain, paint)}`,
    ...shown.split('\n').map((each) => `  ${each}`),
    ...(body.length > bodyCharactersShown ? [paint('dim', `  … ${body.length} characters in all`)] : []),
  ];
}

export function verdict(value: Verdict, paint: Paint): string {
  if (value === 'unchecked') return paint('dim', value);
  return value === 'valid' ? paint('green', 'valid') : paint('red', value);
}

function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Use a whole number from ${min} to ${max}.`);
  };
}

function parseSecret(text: string): string {
  const fault = secretFault(text);
  if (fault !== null) throw new InvalidArgumentError(`${fault[0]?.toUpperCase()}${fault.slice(1)}.`);
  return text;
}
