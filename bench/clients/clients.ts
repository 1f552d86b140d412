import { fileURLToPath } from 'node:url';
import { childEnvironment, startChild } from '../child.ts';
import type { Stage } from '../stage.ts';

const program = fileURLToPath(new URL('./clients-process.ts', import.meta.url));

/** What each client sends, again and again, as soon as it has the answer to the one before. */
export interface ClientsWork {
  url: string;
  headers: Record<string, string>;
  body: string;
  clients: number;
  /** Before they count, and while they do. */
  warmUpSeconds: number;
  seconds: number;
}

/** Clients in a process of their own, each with one connection. Answers how many 202s a second they got together. */
export async function runClients(stage: Stage, work: ClientsWork): Promise<number> {
  const child = startChild(process.execPath, [program, JSON.stringify(work)], { environment: childEnvironment({}) });
  stage.later(() => child.stop());
  const [, perSecond] = await child.says('stdout', /^per second: ([\d.]+)\n/m);
  await child.ended;
  return Number(perSecond);
}
