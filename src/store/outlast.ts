import { endpointStatus } from './tables.ts';

const newest = `(select max(created_at) from events
    where fanned_out_after is not null and workspace_id = endpoints.workspace_id)`;

/**
 * Run when endpoints cease to be active, behind the new version. Events that are too wide to have their deliveries yet were
 * published before, and are owed to them: they count as active until the newest of these, whatever anybody's clock says.
 */
export const outlastWideEvents = (whichEndpoints: string): string =>
  `update endpoints set updated_at = ${newest}
   where ${whichEndpoints} and status <> ${endpointStatus.active} and updated_at < ${newest}`;
