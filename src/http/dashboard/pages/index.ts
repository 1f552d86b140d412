import type { Action, Piece, View } from '../visit.ts';
import { attempt, retry } from './attempt.ts';
import { automationActions, automationViews } from './automations.ts';
import { endpointActions, endpointViews } from './endpoint.ts';
import { eventActions, eventViews } from './events.ts';
import { keyActions, keyViews } from './keys.ts';
import { logs, newLogs } from './logs.ts';
import { overview } from './overview.ts';
import { webhooks } from './webhooks.ts';

/** Every page. Of two that fit a path, the first is asked. */
export const views: readonly View[] = [
  overview,
  logs,
  attempt,
  webhooks,
  ...keyViews,
  ...endpointViews,
  ...eventViews,
  ...automationViews,
];
export const pieces: readonly Piece[] = [newLogs];
export const actions: readonly Action[] = [
  retry,
  ...keyActions,
  ...endpointActions,
  ...eventActions,
  ...automationActions,
];
