import { verdict } from './listen.ts';
import type { Delivery } from './receiver.ts';
import { type Paint, table, type Terminal } from './terminal.ts';

/** Tells what happens, with the time since the start in front. */
export interface Narrator {
  step(text: string): void;
  say(text: string): void;
  end(text: string): void;
  paint: Paint;
}

export function narrator({ out, paint }: Terminal): Narrator {
  const startedAt = performance.now();
  let steps = 0;
  const time = () => paint('dim', `${((performance.now() - startedAt) / 1_000).toFixed(2).padStart(5)} s`);
  return {
    step(text) {
      steps += 1;
      out(`${time()}  ${paint('bold', `${steps}.`)} ${text}`);
    },
    say: (text) => out(`${time()}     ${text}`),
    end: (text) => out(`${time()}  ${paint('green', '✓')} ${text}`),
    paint,
  };
}

export function attemptLine({ attempt, verdicts, answeredStatus }: Delivery, paint: Paint): string {
  const answer = paint(answeredStatus < 300 ? 'green' : 'red', String(answeredStatus));
  const signatures = `webhook-signature ${verdict(verdicts.standard, paint)}, X-TrustPager-Signature ${verdict(verdicts.plain, paint)}`;
  return `attempt ${attempt}: ${signatures}; the receiver answers ${answer}`;
}

/** The log as a table, oldest attempt first. */
export function logLines(logs: readonly Record<string, unknown>[], paint: Paint): string[] {
  const cell = (value: unknown) => (typeof value === 'string' || typeof value === 'number' ? String(value) : '–');
  const rows = [...logs]
    .reverse()
    .map((log) =>
      ['attempt', 'status', 'response_code', 'error', 'duration_ms', 'created_at'].map((name) => cell(log[name])),
    );
  return table(paint, ['attempt', 'status', 'code', 'error', 'ms', 'at'], rows);
}
