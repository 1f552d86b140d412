import { auditRow } from '../../core/types.ts';
import { page } from './page.ts';
import { type Route, route } from './route.ts';

export const auditRoutes: Route[] = [
  route('listAudit', {
    method: 'GET',
    path: '/v1/audit',
    tag: 'Audit',
    summary: 'List who changed what',
    description:
      'One row for each change that people and agents made; publishing, deliveries and tests are not in it. `client` is what the caller said of itself.',
    answer: { status: 200, description: 'A page, newest first', schema: page(auditRow) },
  }),
];
