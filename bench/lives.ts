import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Database from 'better-sqlite3';
import type { Stage } from './stage.ts';

/** What somebody outside saw of a server that was killed again and again. */
export interface Witness {
  url: string;
  /** Requests that come from now on belong to the server's next life. */
  nextLife(): void;
  received(id: string): number;
  /** How many requests repeated one that an earlier life had sent, by that life; those of one life by itself are its own. */
  repeats(): { byKilledLife: number[]; withinLife: number };
}

/** A receiver that answers 200 and remembers in which life of the server it got what. */
export async function openWitness(stage: Stage): Promise<Witness> {
  const lives = new Map<string, number[]>();
  let life = 0;
  const server = createServer((request, response) => {
    const id = String(request.headers['webhook-id']);
    lives.set(id, [...(lives.get(id) ?? []), life]);
    request.resume();
    response.end();
  });
  stage.later(async () => server.close().closeAllConnections());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`,
    nextLife: () => void life++,
    received: (id) => lives.get(id)?.length ?? 0,
    repeats() {
      const byKilledLife = Array.from({ length: life }, () => 0);
      let withinLife = 0;
      for (const times of lives.values()) {
        for (const [index, at] of times.slice(1).entries()) {
          const before = times[index] ?? 0;
          if (before === at) withinLife++;
          else byKilledLife[before] = (byKilledLife[before] ?? 0) + 1;
        }
      }
      return { byKilledLife, withinLife };
    },
  };
}

/** What the database says in the end. */
export interface Remains {
  whole: boolean;
  undelivered: number;
  /** How many attempts each event has in the log. */
  logged: Map<string, number>;
}

export function readRemains(path: string): Remains {
  const db = new Database(path, { readonly: true });
  try {
    const rows = db
      .prepare<[], { id: string; count: number }>(
        `select events.public_id as id, count(*) as count from attempts
         join deliveries on deliveries.id = attempts.delivery_id join events on events.id = deliveries.event_id group by events.id`,
      )
      .all();
    const succeeded = db.prepare<[], number>('select count(distinct delivery_id) from attempts where error is null');
    const owed = db.prepare<[], number>('select count(*) from deliveries').pluck().get() ?? 0;
    return {
      whole: db.pragma('integrity_check', { simple: true }) === 'ok',
      undelivered: owed - (succeeded.pluck().get() ?? 0),
      logged: new Map(rows.map(({ id, count }) => [id, count])),
    };
  } finally {
    db.close();
  }
}
