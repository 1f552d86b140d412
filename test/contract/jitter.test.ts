import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { answering, makeCases } from './cases.ts';
import { type Rest, startRest } from './rest.ts';

let drawn = 0;
let rest: Rest;
let open: ReturnType<typeof makeCases>;
beforeAll(async () => {
  const random = { float: () => drawn, bytes: (count: number) => randomBytes(count) };
  rest = await startRest({ environment: { POSTHORN_RETRY_SCHEDULE: '5s,100s' }, ports: { random } });
  open = makeCases(rest);
  await rest.h.posthorn.startDispatcher();
});
afterAll(() => rest.close());

it.each([
  ['at least 20 % less', 0, 4_000, 80_000],
  ['as the schedule says in the middle', 0.5, 5_000, 100_000],
  ['at most 20 % more', 1 - Number.EPSILON, 6_000, 120_000],
])('a retry waits %s, and is sent then', async (_what, random, firstMs, secondMs) => {
  drawn = random;
  const one = await open(answering(500));
  await one.publish();
  const began = rest.h.clock.now();
  await one.log(1);
  await rest.pass(firstMs - 1);
  await rest.pass(1);
  await one.log(2);
  await rest.pass(secondMs - 1);
  await rest.pass(1);
  const rows = (await one.log(3)).toReversed();
  const after = (iso: string | null) => (iso === null ? null : Date.parse(iso) - began);
  expect(rows.map((row) => [after(row.created_at), after(row.next_attempt_at)])).toEqual([
    [0, firstMs],
    [firstMs, firstMs + secondMs],
    [firstMs + secondMs, null],
  ]);
});
