import {
  attempt,
  type createdSubscription,
  type createdWebhookConfig,
  replayed,
  type subscription,
  type webhookConfig,
} from '../../core/types.ts';
import { page } from './page.ts';
import { type Route, route, type Tag } from './route.ts';

/** One kind of endpoint, as its routes name and show it. */
export interface EndpointFace {
  /** As in "a config". */
  noun: string;
  /** Of the collection. */
  path: `/v1/${string}`;
  tag: Tag;
  params: Route['params'];
  shown: typeof subscription | typeof webhookConfig;
  /** With the secret, where one was made. */
  created: typeof createdSubscription | typeof createdWebhookConfig;
  operations: {
    test: 'testSubscription' | 'testConfig';
    rotateSecret: 'rotateSecret' | 'rotateConfigSecret';
    replay: 'replaySubscription' | 'replayConfig';
    approve: 'approveSubscription' | 'approveConfig';
    listLogs: 'listSubscriptionLogs' | 'listConfigLogs';
  };
}

/** What can be done with an endpoint of either kind. */
export function endpointRoutes({ noun, path, tag, params, shown, created, operations }: EndpointFace): Route[] {
  return [
    route(operations.test, {
      method: 'POST',
      path: `${path}/{id}/test`,
      tag,
      summary: 'Send a sample now and tell what came of it',
      description: 'Changes no counter; also while paused or disabled. 200 whatever the receiver answered.',
      params,
      example: { event_type: 'contact.created' },
      answer: { status: 200, description: 'The attempt', schema: attempt },
      errors: ['pending_approval', 'unknown_event_type'],
    }),
    route(operations.rotateSecret, {
      method: 'POST',
      path: `${path}/{id}/rotate-secret`,
      tag,
      summary: `Give a ${noun} a new secret`,
      description:
        'Old and new secret sign for 24 hours, or for `overlap` (`0s` to `7d`); one that was rotated out before ends now. Without `secret` one is made and shown in this answer only.',
      params,
      example: { overlap: '48h' },
      answer: { status: 200, description: `The ${noun}, with a secret that was made`, schema: created },
    }),
    route(operations.replay, {
      method: 'POST',
      path: `${path}/{id}/replay`,
      tag,
      summary: 'Queue retained events again',
      description:
        'At most 10,000 a call; go on with `next_since`. `failed`: their schedule was used up; `missed`: never queued; `all`: delivered ones too; left out: failed and missed.',
      params,
      example: { since: '2026-11-23T00:00:00Z' },
      answer: { status: 200, description: 'How many were queued', schema: replayed },
      errors: ['not_active'],
    }),
    route(operations.approve, {
      method: 'POST',
      path: `${path}/{id}/approve`,
      tag,
      summary: `Let a pending ${noun} receive`,
      description:
        'Never by the key that created it or chose its host, nor by one that such a key made. `url`, when sent, has to be the one it has now.',
      params,
      answer: { status: 200, description: `The ${noun} as it is now`, schema: shown },
      errors: ['approval_denied', 'pending_approval'],
    }),
    route(operations.listLogs, {
      method: 'GET',
      path: `${path}/{id}/logs`,
      tag,
      summary: `List the attempts made for a ${noun}`,
      params,
      answer: { status: 200, description: 'A page, newest first', schema: page(attempt) },
    }),
  ];
}
