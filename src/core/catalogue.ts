import type { EventType } from './types.ts';

/** A built-in event type of the platform: what happened to which kind of thing, and what its data looks like. */
type BuiltIn = Pick<EventType, 'name' | 'description' | 'example'>;

const contact = {
  id: 'con_1',
  first_name: 'Ada',
  last_name: 'Lovelace',
  email: 'ada@example.com',
  phone: '+61400000001',
};
const company = { id: 'com_1', name: 'Analytical Engines', domain: 'example.com' };
const opportunity = {
  id: 'opp_1',
  name: 'Engine No. 2',
  stage: 'proposal',
  value: 12_000,
  currency: 'AUD',
  contact_id: 'con_1',
};
const task = { id: 'tsk_1', title: 'Send the offer', due_at: '2026-11-30T00:00:00.000Z', assignee_id: 'usr_1' };
const appointment = { id: 'apt_1', title: 'Demo', starts_at: '2026-12-01T01:00:00.000Z', contact_id: 'con_1' };
const call = { id: 'cal_1', direction: 'inbound', from: '+61400000001', duration_seconds: 95, contact_id: 'con_1' };
const message = { id: 'msg_1', channel: 'sms', contact_id: 'con_1', text: 'See you tomorrow' };

const builtIn = (name: string, description: string, example: BuiltIn['example']): BuiltIn => ({
  name,
  description,
  example,
});

/** The catalogue of a CRM that every workspace starts with. */
export const builtInEventTypes: readonly BuiltIn[] = [
  builtIn('contact.created', 'A contact was added.', contact),
  builtIn('contact.updated', 'Fields of a contact changed.', { ...contact, changed: ['phone'] }),
  builtIn('contact.deleted', 'A contact was removed.', { id: contact.id }),
  builtIn('contact.tagged', 'A tag was put on a contact.', { id: contact.id, tag: 'customer' }),
  builtIn('company.created', 'A company was added.', company),
  builtIn('company.updated', 'Fields of a company changed.', { ...company, changed: ['domain'] }),
  builtIn('company.deleted', 'A company was removed.', { id: company.id }),
  builtIn('opportunity.created', 'An opportunity was opened.', opportunity),
  builtIn('opportunity.updated', 'Fields of an opportunity changed.', { ...opportunity, changed: ['value'] }),
  builtIn('opportunity.stage_changed', 'An opportunity moved to another stage.', {
    ...opportunity,
    previous_stage: 'qualified',
  }),
  builtIn('opportunity.won', 'An opportunity was won.', { ...opportunity, stage: 'won' }),
  builtIn('opportunity.lost', 'An opportunity was lost.', { ...opportunity, stage: 'lost', reason: 'price' }),
  builtIn('opportunity.deleted', 'An opportunity was removed.', { id: opportunity.id }),
  builtIn('form.submitted', 'Somebody sent in a form.', {
    form_id: 'frm_1',
    form_name: 'Contact us',
    contact_id: 'con_1',
    answers: { name: 'Ada Lovelace', message: 'Please call me' },
  }),
  builtIn('task.created', 'A task was added.', task),
  builtIn('task.updated', 'Fields of a task changed.', { ...task, changed: ['due_at'] }),
  builtIn('task.completed', 'A task was done.', { ...task, completed_at: '2026-11-29T03:00:00.000Z' }),
  builtIn('appointment.booked', 'An appointment was made.', appointment),
  builtIn('appointment.rescheduled', 'An appointment was moved.', {
    ...appointment,
    previous_starts_at: '2026-11-30T01:00:00.000Z',
  }),
  builtIn('appointment.canceled', 'An appointment was called off.', { ...appointment, reason: 'ill' }),
  builtIn('appointment.completed', 'An appointment took place.', appointment),
  builtIn('call.started', 'A call began.', call),
  builtIn('call.completed', 'A call ended.', { ...call, outcome: 'answered' }),
  builtIn('call.missed', 'A call was not answered.', { ...call, duration_seconds: 0 }),
  builtIn('message.received', 'A message came in.', { ...message, direction: 'inbound' }),
  builtIn('message.sent', 'A message went out.', { ...message, direction: 'outbound' }),
  builtIn('message.failed', 'A message could not be delivered.', {
    ...message,
    direction: 'outbound',
    reason: 'unreachable',
  }),
];

export const builtInNames: readonly string[] = builtInEventTypes.map(({ name }) => name);

/** The built-in types as a catalogue shows them that nobody has changed. */
export function builtInCatalogue(): EventType[] {
  return builtInEventTypes.map((type) => ({ ...type, schema: null, validation: 'off', built_in: true }));
}
