import type { Respond } from '../support/receiver.ts';
import { type LogRow, type Rest, subscriptions } from './rest.ts';

/** A subscription with an event type and a path of its own, so that many tests share one Posthorn. */
export interface Case {
  id: string;
  path: string;
  type: string;
  publish(id?: string): Promise<string>;
  // oxlint-disable-next-line typescript/no-explicit-any -- what was answered is what the tests look into
  show(): Promise<any>;
  // oxlint-disable-next-line typescript/no-explicit-any -- the same
  patch(change: object): Promise<any>;
  log(rows: number): Promise<LogRow[]>;
  /** Ids of the events that were sent to it, in order. */
  sent(): string[];
  respond(respond: Respond): void;
}

/** Answers a status, with headers. */
export const answering =
  (status: number, headers: Record<string, string> = {}, body = ''): Respond =>
  (_request, response) =>
    response.writeHead(status, headers).end(body);

/** Makes cases. The receiver answers each by its path. */
export function makeCases(rest: Rest): (respond?: Respond) => Promise<Case> {
  const { receiver } = rest.h;
  const answers = new Map<string, Respond>();
  const no = answering(404);
  receiver.respond((request, response, nth) => (answers.get(request.path) ?? no)(request, response, nth));
  let count = 0;
  return async (respond = answering(204)) => {
    count += 1;
    const path = `/case/${count}`;
    const type = `case.n${count}`;
    answers.set(path, respond);
    await rest.ask('PUT', `/v1/event-types/${type}`, { description: 'A case.', example: {} });
    const { body } = await rest.subscribe({ url: receiver.url + path, events: [type] });
    const at = `${subscriptions}/${body.id}`;
    return {
      id: body.id,
      path,
      type,
      publish: async (id) => (await rest.publish({ type, data: {}, ...(id === undefined ? {} : { id }) })).body.id,
      show: async () => (await rest.ask('GET', at)).body,
      patch: async (change) => (await rest.ask('PATCH', at, change)).body,
      log: (rows) => rest.logOf(body.id, rows),
      sent: () =>
        receiver.requests
          .filter((request) => request.path === path)
          .map(({ headers }) => String(headers['webhook-id'])),
      respond: (next) => void answers.set(path, next),
    };
  };
}
