import type { Core } from '../core/core.ts';
import type { EventType } from '../core/types.ts';
import type { Log } from '../core/ports/ports.ts';
import type { CallerOf } from './caller.ts';
import type { HostGuard } from './hosts.ts';
import type { MetricsFace } from './metrics.ts';

/** What the handlers of this face share. */
export interface Face {
  core: Core;
  checkHost: HostGuard;
  callerOf: CallerOf;
  /** How the world reaches this server, without a slash at the end. */
  publicUrl: string;
  brand: string;
  version: string;
  /** Null when requests can be served, else the reason why not, in a sentence that strangers may read. */
  ready: () => Promise<string | null>;
  log: Log;
  /** Null: `/metrics` does not exist. */
  metrics: MetricsFace | null;
  /** The OpenAPI document that everybody may read, as JSON text, made when it is first asked for. */
  openApi: () => string;
  /** The same with the catalogue of a workspace. */
  openApiOf: (types: readonly EventType[]) => string;
}
