import { readdir } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { start, temporaryFolder } from './command.ts';

it('shows the main job, ends by itself with 0 and cleans up', async () => {
  const folder = await temporaryFolder();
  const demo = start(['demo'], { env: { TMPDIR: folder } });
  const { code, stdout, stderr } = await demo.ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const told = stdout.split('\n').map((line) => line.slice('12.34 s'.length).trim());
  const attempt = (number: number, status: number) =>
    `attempt ${number}: webhook-signature valid, X-TrustPager-Signature valid; the receiver answers ${status}`;
  for (const [number, status] of [
    [1, 500],
    [2, 500],
    [3, 200],
  ] as const)
    expect(told).toContain(attempt(number, status));
  expect(
    told.filter((line) => /^\d +(failed|succeeded) /.test(line)).map((line) => line.split(/ +/).slice(0, 4)),
  ).toEqual([
    ['1', 'failed', '500', 'http_5xx'],
    ['2', 'failed', '500', 'http_5xx'],
    ['3', 'succeeded', '200', '–'],
  ]);
  expect(stdout).not.toContain('\u001b');
  expect((await readdir(folder)).filter((name) => name.startsWith('posthorn'))).toEqual([]);
});

it('cleans up when it is stopped, and says that it did not end', async () => {
  const folder = await temporaryFolder();
  const demo = start(['demo'], { env: { TMPDIR: folder } });
  await demo.line(/attempt 1:/);
  demo.child.kill('SIGINT');
  expect(await demo.ended).toMatchObject({ code: 1, stderr: 'The demo was stopped before it ended.\n' });
  expect((await readdir(folder)).filter((name) => name.startsWith('posthorn'))).toEqual([]);
});
