import { dryRun } from '../../core/types.ts';
import { type Route, route } from './route.ts';

export const conditionRoutes: Route[] = [
  route('dryRun', {
    method: 'POST',
    path: '/v1/conditions/dry-run',
    tag: 'Conditions',
    summary: 'Try a filter or condition',
    description: 'Which of the newest 100 retained events it would have taken, and why not the others. Sends nothing.',
    example: { events: ['opportunity.*'], condition: 'data.value > 10000' },
    answer: { status: 200, description: 'A verdict for each event', schema: dryRun },
    errors: ['unknown_event_type', 'invalid_expression'],
  }),
];
