import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../support/until.ts';
import { type Rest, startRest } from './rest.ts';

let rest: Rest;
afterEach(() => rest.close());

/** A receiver that holds every request until it is told to answer, and what it holds. */
async function holding(environment: Record<string, string>, endpoints: number, events: number) {
  rest = await startRest({ environment });
  const held: ServerResponse[] = [];
  rest.h.receiver.respond((_request, response) => void held.push(response));
  for (let nth = 0; nth < endpoints; nth++) await rest.subscribe({ url: `${rest.h.receiver.url}/${nth}` });
  const event = { type: 'contact.created', data: {} };
  await rest.ask(
    'POST',
    '/v1/events',
    Array.from({ length: events }, () => event),
  );
  await rest.h.posthorn.startDispatcher();
  const inFlight = () => rest.h.core.worker.pulse().inFlight;
  const answerAll = async () => {
    let answered = 0;
    let most = 0;
    while (answered < endpoints * events) {
      await until(() => held.length > 0 && held.length === inFlight());
      most = Math.max(most, held.length);
      answered += held.length;
      for (const response of held.splice(0)) response.writeHead(204).end();
    }
    return most;
  };
  return { inFlight, answerAll };
}

describe('attempts in flight', () => {
  it('of one endpoint are at most POSTHORN_ENDPOINT_CONCURRENCY, from the first attempt on', async () => {
    const { inFlight, answerAll } = await holding({ POSTHORN_ENDPOINT_CONCURRENCY: '3' }, 1, 8);
    await until(() => inFlight() === 3);
    expect(await answerAll()).toBe(3);
    expect(rest.h.receiver.requests).toHaveLength(8);
  });

  it('of a process are at most POSTHORN_CONCURRENCY', async () => {
    const { inFlight, answerAll } = await holding({ POSTHORN_CONCURRENCY: '4' }, 3, 4);
    await until(() => inFlight() === 4);
    expect(await answerAll()).toBe(4);
    expect(rest.h.receiver.requests).toHaveLength(12);
  });

  it('of an endpoint without a failure are 64 at once when nothing is set', async () => {
    const { inFlight, answerAll } = await holding({}, 1, 70);
    await until(() => inFlight() === 64);
    expect(await answerAll()).toBe(64);
  });
});
