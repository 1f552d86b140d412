import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { childEnvironment } from '../child.ts';
import type { Stage } from '../stage.ts';
import type { Sink } from './sink.ts';

const program = fileURLToPath(new URL('./bundled-process.ts', import.meta.url));

/** What the bundled receiver tells: its port at first, then its count each time it is asked. */
export type SinkMessage = { port: number } | { received: number };

/** Runs the bundled receiver as a process of its own. */
export async function openBundledSink(stage: Stage): Promise<Sink> {
  const child = fork(program, [], {
    env: childEnvironment({}),
    execArgv: [],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  stage.later(async () => {
    const ended = once(child, 'exit');
    if (child.exitCode === null && child.kill('SIGTERM')) await ended;
  });
  const [opened] = (await once(child, 'message')) as [SinkMessage];
  if (!('port' in opened)) throw new Error('the bundled sink did not tell its port');
  return {
    kind: 'bundled',
    url: `http://127.0.0.1:${opened.port}/hooks`,
    async received() {
      const answered = once(child, 'message') as Promise<[SinkMessage]>;
      child.send('received');
      const [answer] = await answered;
      if (!('received' in answer)) throw new Error('the bundled sink did not tell its count');
      return answer.received;
    },
  };
}
