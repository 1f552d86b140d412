import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Figure, plainFigure, type Row } from '../row.ts';
import { pendingCount, publish, startServer, subscribe } from '../server.ts';
import type { Stage } from '../stage.ts';
import { until } from '../until.ts';

const due = 10_000;
/** Long enough to be found down, short enough that no retry waits for minutes. */
const outageMs = 4_000;
const stepMs = 10_000;
const firstStepPerSecondMax = 100;
const drainMsMax = 120_000;
const downStatus = 503;

/** An endpoint comes back to everything that it missed. */
export const recovery: Row = {
  name: 'recovery',
  work: `an endpoint with ${due.toLocaleString('en')} due deliveries answers ${downStatus} for ${outageMs / 1_000} s, then 200`,
  bound: 'The ramp that protects it: 80 a second for ten seconds, then twice as many every ten seconds.',
  async measure(stage: Stage): Promise<Figure[]> {
    const receiver = await openFailing(stage);
    const folder = join(stage.folder, 'posthorn');
    const storing = await startServer({ folder, environment: { POSTHORN_DISPATCH: 'off' } });
    stage.later(() => storing.stop());
    const subscriptionId = await subscribe(storing, receiver.url);
    await publish(storing, due);
    await storing.stop();
    const server = await startServer({ folder });
    stage.later(() => server.stop());
    stage.progress(`failing for ${outageMs / 1_000} s`);
    await pause(outageMs);
    const probes = receiver.comeBack();
    await until('the backlog to be drained', { everyMs: 100, msMax: drainMsMax }, async () =>
      (await pendingCount(server, subscriptionId)) === 0 ? true : null,
    );
    const at = receiver.answeredAt();
    await server.stop();
    const steps = stepsOf(at);
    stage.progress(`attempts a second, step by step: ${steps.map((each) => each.toFixed(0)).join(', ')}`);
    return [
      plainFigure({ what: 'attempts while down', value: probes, unit: '' }, null),
      plainFigure(
        { what: 'busiest of the first 10 s', value: busiestSecond(at), unit: '/s' },
        { of: 'value', atMost: firstStepPerSecondMax },
      ),
      plainFigure(
        { what: 'steepest step of 10 s, over what doubling allows', value: steepest(steps), unit: '' },
        { of: 'value', atMost: 1 },
      ),
      plainFigure({ what: 'drained after', value: (at.at(-1) ?? 0) / 1_000, unit: 's' }, null),
    ];
  },
};

/** Attempts a second in each whole step since the endpoint came back, and in what is left of the last. */
function stepsOf(at: number[]): number[] {
  const end = at.at(-1) ?? 0;
  return Array.from({ length: Math.ceil(end / stepMs) }, (_, step) => {
    const count = at.filter((each) => each >= step * stepMs && each < (step + 1) * stepMs).length;
    return (count / Math.max(1_000, Math.min(stepMs, end - step * stepMs))) * 1_000;
  });
}

/** The most in any second that begins with an attempt of the first ten. */
function busiestSecond(at: number[]): number {
  const first = at.filter((each) => each < stepMs);
  return Math.max(...first.map((from, index) => first.slice(index).findLastIndex((each) => each < from + 1_000) + 1));
}

/** Above 1, a step went beyond 100 a second doubled so many times. */
function steepest(steps: number[]): number {
  return Math.max(...steps.map((perSecond, step) => perSecond / (firstStepPerSecondMax * 2 ** step)));
}

interface Failing {
  url: string;
  /** From now on it answers 200; how many attempts it refused. */
  comeBack(): number;
  /** When it answered, in milliseconds since it came back. */
  answeredAt(): number[];
}

async function openFailing(stage: Stage): Promise<Failing> {
  let refused = 0;
  let backSince: number | null = null;
  const at: number[] = [];
  const server = createServer((request, response) => {
    if (backSince === null) {
      refused++;
      response.statusCode = downStatus;
    } else {
      at.push(performance.now() - backSince);
    }
    request.resume();
    response.end();
  });
  stage.later(async () => server.close().closeAllConnections());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`,
    comeBack() {
      backSince = performance.now();
      return refused;
    },
    answeredAt: () => at,
  };
}
