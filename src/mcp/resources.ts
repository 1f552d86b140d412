import { type McpServer, type ReadResourceResult, ResourceTemplate } from '@modelcontextprotocol/server';
import { allOf } from '../core/all-of.ts';
import type { Core } from '../core/core.ts';
import type { Log } from '../core/ports/ports.ts';
import type { Principal } from '../core/types.ts';
import { explain, protocolError } from './explain.ts';
import { challenge, type Session } from './session.ts';

const mimeType = 'application/json';

/** What a host can attach to a conversation without a tool call. Everything here needs `webhooks:read`. */
export function registerResources(server: McpServer, session: Session, log: Log): void {
  const scopeChallenge = challenge('webhooks:read');
  const read = (uri: URL, load: (core: Core, principal: Principal) => Promise<unknown>) =>
    readJson(uri, session, log, load);
  server.registerResource(
    'event-types',
    'posthorn://event-types',
    { title: 'Event types', description: 'The catalogue of event types, with examples', mimeType, scopeChallenge },
    (uri) =>
      read(uri, async (core, principal) => ({
        event_types: await allOf((of) => core.listEventTypes(principal, of)),
      })),
  );
  server.registerResource(
    'status',
    'posthorn://status',
    {
      title: 'Status',
      description: 'Whether anything delivers, and how many deliveries are due',
      mimeType,
      scopeChallenge,
    },
    (uri) => read(uri, (core, principal) => core.readStatus(principal, {})),
  );
  server.registerResource(
    'subscription',
    // No list of its own: clients list resources as they start, and a start alone opens no database.
    new ResourceTemplate('posthorn://subscriptions/{id}', {
      list: undefined,
      complete: { id: (typed) => completeSubscriptionId(typed, session, log) },
    }),
    { title: 'Subscription', description: 'One subscription with its health and diagnosis', mimeType, scopeChallenge },
    (uri, { id }) => read(uri, (core, principal) => core.getSubscription(principal, { subscription_id: String(id) })),
  );
}

/** Ids of subscriptions that begin with what was typed, newest first; none when they cannot be read. */
export async function completeSubscriptionId(typed: string, session: Session, log: Log): Promise<string[]> {
  try {
    const { core, principal } = await session.open();
    const found = await allOf((of) => core.listSubscriptions(principal, of));
    return found.map(({ id }) => id).filter((id) => id.startsWith(typed));
  } catch (error) {
    log.debug({ code: explain(error, log).code }, 'a completion failed');
    return [];
  }
}

async function readJson(
  uri: URL,
  session: Session,
  log: Log,
  load: (core: Core, principal: Principal) => Promise<unknown>,
): Promise<ReadResourceResult> {
  try {
    const { core, principal } = await session.open();
    return { contents: [{ uri: uri.href, mimeType, text: JSON.stringify(await load(core, principal)) }] };
  } catch (error) {
    throw protocolError(error, log, uri.href);
  }
}
