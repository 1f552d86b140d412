import { apiKey, createdApiKey } from '../../core/types.ts';
import { page } from './page.ts';
import { type Route, route } from './route.ts';

const tag = 'Keys';

export const keyRoutes: Route[] = [
  route('listKeys', {
    method: 'GET',
    path: '/v1/keys',
    tag,
    summary: 'List API keys',
    answer: { status: 200, description: 'A page, newest first', schema: page(apiKey) },
  }),
  route('createKey', {
    method: 'POST',
    path: '/v1/keys',
    tag,
    summary: 'Make an API key',
    description: 'A key grants only scopes that it holds itself. `key` is shown in this answer only.',
    example: { name: 'CI', scopes: ['events:write'], expires_in: '90d' },
    answer: { status: 201, description: 'The key', schema: createdApiKey },
  }),
  route('revokeKey', {
    method: 'DELETE',
    path: '/v1/keys/{id}',
    tag,
    summary: 'Revoke an API key',
    params: { id: 'key_id' },
    answer: { status: 204, description: 'It is refused from now on', schema: null },
  }),
];
