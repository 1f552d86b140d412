import { readdir } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { startHere, temporaryFolder } from './here.ts';
import { runProcess } from './process.ts';

it('shows the main job, ends by itself with 0 and cleans up', async () => {
  const folder = await temporaryFolder();
  const { code, stdout, stderr } = await runProcess(['demo'], { TMPDIR: folder });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const told = stdout.split('\n').map((line) => line.slice('12.34 s'.length).trim());
  const attempt = (number: number, status: number) =>
    `attempt ${number}: webhook-signature valid, X-TrustPager-Signature valid; the receiver answers ${status}`;
  expect(told).toEqual(expect.arrayContaining([attempt(1, 500), attempt(2, 500), attempt(3, 200)]));
  const rows = told.filter((line) => /^\d +(failed|succeeded) /.test(line));
  expect(rows.map((line) => line.split(/ +/).slice(0, 4))).toEqual([
    ['1', 'failed', '500', 'http_5xx'],
    ['2', 'failed', '500', 'http_5xx'],
    ['3', 'succeeded', '200', '–'],
  ]);
  expect(await left(folder)).toEqual([]);
});

it('cleans up when it is stopped, and says that it did not end', async () => {
  const folder = await temporaryFolder();
  const demo = startHere(['demo'], { TMPDIR: folder });
  await demo.line(/attempt 1:/);
  expect(await left(folder)).toHaveLength(1);
  demo.stop();
  expect(await demo.ended).toMatchObject({ code: 1, stderr: 'The demo was stopped before it ended.\n' });
  expect(await left(folder)).toEqual([]);
});

async function left(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name.startsWith('posthorn'));
}
