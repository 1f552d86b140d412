import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { makeLog } from '../../src/log.ts';
import { systemClock, systemRandom } from '../../src/system.ts';

describe('makeLog', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'posthorn-log-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function lines(
    level: 'info' | 'silent',
    write: (log: ReturnType<typeof makeLog>) => void,
  ): Record<string, unknown>[] {
    const path = join(folder, 'log');
    write(makeLog({ level, destination: openSync(path, 'w') }));
    return readFileSync(path, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  it('writes a JSON line at once', () => {
    const [line] = lines('info', (log) => log.info({ events: 3 }, 'published'));
    expect(line).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      pid: process.pid,
      events: 3,
      msg: 'published',
    });
  });

  it('keeps secrets out, three levels deep, and of a URL only the host', () => {
    const secrets = { secret: 'hunter2', key: 'hunter2', authorization: 'hunter2', headers: { a: 'hunter2' } };
    const url = 'https://u:hunter2@hooks.example.com:8443/hunter2?hunter2';
    const written = lines('info', (log) => {
      log.warn({ ...secrets, a: { ...secrets, b: { ...secrets, url } }, url }, 'x');
    });
    expect(JSON.stringify(written)).not.toContain('hunter2');
    expect(written[0]).toMatchObject({
      url: 'hooks.example.com:8443',
      secret: '[redacted]',
      a: { b: { key: '[redacted]' } },
    });
  });

  it('follows its level', () => {
    expect(lines('info', (log) => log.debug({}, 'x'))).toEqual([]);
    expect(lines('silent', (log) => log.error({}, 'x'))).toEqual([]);
    expect(lines('info', (log) => log.error({ err: new Error('boom') }, 'x'))[0]).toMatchObject({
      level: 'error',
      err: { message: 'boom' },
    });
  });
});

describe('systemClock', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('calls back once, after the time and not before', () => {
    const run = vi.fn();
    systemClock.after(1_000, run);
    vi.advanceTimersByTime(999);
    expect(run).toHaveBeenCalledTimes(0);
    vi.advanceTimersByTime(10_000);
    expect(run).toHaveBeenCalledTimes(1);
  });

  it('waits for longer than a timer of Node can', () => {
    const run = vi.fn();
    const days = 86_400_000;
    systemClock.after(60 * days, run);
    vi.advanceTimersByTime(60 * days - 1);
    expect(run).toHaveBeenCalledTimes(0);
    vi.advanceTimersByTime(1);
    expect(run).toHaveBeenCalledTimes(1);
  });

  it('can be canceled, also later on', () => {
    const run = vi.fn();
    const days = 86_400_000;
    const cancel = systemClock.after(60 * days, run);
    vi.advanceTimersByTime(40 * days);
    cancel();
    vi.advanceTimersByTime(60 * days);
    expect(run).toHaveBeenCalledTimes(0);
  });
});

it('is random', () => {
  expect(systemRandom.bytes(32)).toHaveLength(32);
  expect(systemRandom.bytes(32).equals(systemRandom.bytes(32))).toBe(false);
  expect(systemRandom.float()).toBeLessThan(1);
});
