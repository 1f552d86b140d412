import { type Kysely, sql } from 'kysely';
import { deliveryState, endpointStatus, type Tables } from '../tables.ts';

/** The row of an endpoint that is not deleted. */
export function existing(trx: Kysely<Tables>, workspaceId: number, id: number) {
  return withNextAttempt(trx)
    .where('endpoints.workspace_id', '=', workspaceId)
    .where('endpoints.id', '=', id)
    .where('endpoints.status', '!=', endpointStatus.deleted)
    .executeTakeFirst();
}

/** Rows of endpoints, each with when its next pending delivery is due. */
export function withNextAttempt(db: Kysely<Tables>) {
  return db
    .selectFrom('endpoints')
    .selectAll('endpoints')
    .select(({ selectFrom }) =>
      selectFrom('deliveries')
        .select(({ fn }) => fn.min('due_at').as('due_at'))
        .whereRef('deliveries.endpoint_id', '=', 'endpoints.id')
        .where('deliveries.state', '=', sql.lit(deliveryState.pending))
        .as('next_attempt_at'),
    );
}
