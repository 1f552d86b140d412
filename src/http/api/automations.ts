import { automation, dryRun } from '../../core/types.ts';
import { page } from './page.ts';
import { type Route, route } from './route.ts';

const tag = 'Automations';
const params = { id: 'automation_id' };

export const automationRoutes: Route[] = [
  route('createAutomation', {
    method: 'POST',
    path: '/v1/automations',
    tag,
    summary: 'Create an automation',
    description:
      'When an event of `trigger_event` comes for which `conditions` are true, the configs of its `actions` get it, each once, whatever else wants it for them. At most 10 actions, and 1,000 automations a workspace.',
    example: {
      name: 'Tell the team about large deals',
      trigger_event: 'opportunity.won',
      conditions: 'data.value > 10000',
      actions: [{ type: 'webhook', config_id: 'cfg_01k00000000000000000000000' }],
      enabled: true,
    },
    answer: { status: 201, description: 'The automation', schema: automation },
    errors: ['unknown_event_type', 'invalid_expression', 'limit_reached'],
  }),
  route('listAutomations', {
    method: 'GET',
    path: '/v1/automations',
    tag,
    summary: 'List automations with what became of them',
    answer: { status: 200, description: 'A page, newest first', schema: page(automation) },
  }),
  route('getAutomation', {
    method: 'GET',
    path: '/v1/automations/{id}',
    tag,
    summary: 'Read an automation',
    params,
    answer: { status: 200, description: 'The automation', schema: automation },
  }),
  route('updateAutomation', {
    method: 'PATCH',
    path: '/v1/automations/{id}',
    tag,
    summary: 'Change, enable or disable an automation',
    description: '`actions` replaces all that were there. Setting `conditions` clears `error_count` and `last_error`.',
    params,
    example: { enabled: false },
    answer: { status: 200, description: 'The automation as it is now', schema: automation },
    errors: ['unknown_event_type', 'invalid_expression'],
  }),
  route('deleteAutomation', {
    method: 'DELETE',
    path: '/v1/automations/{id}',
    tag,
    summary: 'Delete an automation',
    description: 'Deliveries that it made already are still sent.',
    params,
    answer: { status: 204, description: 'It is gone', schema: null },
  }),
  route('dryRunAutomation', {
    method: 'POST',
    path: '/v1/automations/{id}/dry-run',
    tag,
    summary: 'Try an automation',
    description:
      'For which of the newest 100 retained events it would have fired, and why not for the others. Sends nothing.',
    params,
    answer: { status: 200, description: 'A verdict for each event', schema: dryRun },
    errors: ['unknown_event_type', 'invalid_expression'],
  }),
];
