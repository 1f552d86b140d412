import { expect } from 'vitest';
import { chooseTools, defaultToolGroups } from '../../tools/index.ts';
import type { Receiver } from '../support/receiver.ts';
import { until } from '../support/until.ts';
import type { AnyClient, ToolAnswer } from './clients.ts';

export interface Row {
  attempt: number;
  status: string;
  response_code: number | null;
  error: string | null;
  untrusted_response?: string | null;
}

/** What tests read of the tools' answers; each answer holds its part of it. */
export interface Answered {
  id: string;
  secret: string;
  diagnosis: string;
  queued: number;
  logs: Row[];
  subscriptions: { id: string }[];
  event_types: { name: string; example: object }[];
  deliveries: { id: string; status: string }[];
  next_cursor: string | null;
}

/** What a tool answered, which stands in the text as well. */
export function resultOf(answer: ToolAnswer): Answered {
  // Compared whole, so that a failing test shows the error that came instead.
  expect(answer).toEqual({ ...answer, content: [{ type: 'text', text: JSON.stringify(answer.structuredContent) }] });
  expect(answer.isError ?? false).toBe(false);
  return answer.structuredContent as Answered;
}

export function errorOf(answer: ToolAnswer): string {
  expect(answer.isError).toBe(true);
  expect(answer.structuredContent).toBeUndefined();
  expect(answer.content).toEqual([{ type: 'text', text: expect.any(String) }]);
  return answer.content[0]?.text ?? '';
}

export async function subscribe(agent: AnyClient, url: string, events = ['contact.*']): Promise<string> {
  return resultOf(await agent.callTool('create_webhook_subscription', { url, events })).id;
}

/** The log of a subscription, as soon as it has that many rows. */
export async function logOf(agent: AnyClient, id: string, rows: number): Promise<Row[]> {
  const read = async () =>
    resultOf(await agent.callTool('list_webhook_subscription_logs', { subscription_id: id })).logs;
  await until(async () => (await read()).length >= rows);
  return read();
}

/** Everything that a client may do with a Posthorn that delivers, said once for every client and both transports. */
export async function converse(agent: AnyClient, receiver: Receiver): Promise<void> {
  expect(agent.instructions()).toMatch(/^Posthorn sends webhooks/);
  const listed = await agent.listTools();
  expect(listed.map(({ name }) => name)).toEqual(chooseTools(defaultToolGroups, false).map(({ name }) => name));
  for (const { annotations, outputSchema } of listed) {
    expect(annotations).toHaveProperty('openWorldHint');
    expect(outputSchema).toHaveProperty('type', 'object');
  }
  await callTools(agent, receiver);
  await readResourcesAndPrompts(agent);
}

async function callTools(agent: AnyClient, receiver: Receiver): Promise<void> {
  const id = await subscribe(agent, `${receiver.url}/hook`);
  const of = { subscription_id: id };
  const event = { type: 'contact.created', data: { id: 'con_1' }, id: 'evt-1' };
  expect(resultOf(await agent.callTool('publish_event', event))).toEqual({ id: 'evt-1', deliveries: 1 });
  expect(resultOf(await agent.callTool('publish_event', event))).toEqual({ id: 'evt-1', deliveries: 1 });
  expect(await logOf(agent, id, 1)).toMatchObject([{ status: 'succeeded', response_code: 204, attempt: 1 }]);
  expect(resultOf(await agent.callTool('get_event', { event_id: 'evt-1' }))).toMatchObject({
    deliveries: [{ endpoint_id: id, status: 'succeeded' }],
  });
  expect(resultOf(await agent.callTool('list_events'))).toMatchObject({ events: [{ id: 'evt-1' }], next_cursor: null });
  const paused = await agent.callTool('update_webhook_subscription', { ...of, status: 'paused' });
  expect(resultOf(paused)).toMatchObject({ id, status: 'paused' });
  expect(resultOf(await agent.callTool('test_webhook_subscription', of))).toMatchObject({ is_test: true, error: null });
  expect(receiver.requests).toHaveLength(2);
  expect(resultOf(await agent.callTool('list_webhook_subscriptions'))).toMatchObject({ subscriptions: [{ id }] });
  expect(resultOf(await agent.callTool('list_event_types', { limit: 1 }))).toMatchObject({ event_types: [{}] });

  const gone = await subscribe(agent, `${receiver.url}/gone`);
  const deleted = await agent.callTool('delete_webhook_subscription', { subscription_id: gone });
  expect(resultOf(deleted)).toEqual({ id: gone, deleted: true });
  const missing = await agent.callTool('get_webhook_subscription', { subscription_id: gone });
  expect(errorOf(missing)).toMatch(/^not_found: /);
  await expect(agent.callTool('approve_webhook_subscription')).rejects.toMatchObject({ code: -32602 });
}

async function readResourcesAndPrompts(agent: AnyClient): Promise<void> {
  expect(await agent.listResources()).toEqual(['posthorn://event-types', 'posthorn://status']);
  expect(await agent.listResourceTemplates()).toEqual(['posthorn://subscriptions/{id}']);
  const types = resultOf(await agent.callTool('list_event_types'));
  const catalogue = JSON.parse(await agent.readResource('posthorn://event-types')) as object;
  expect(catalogue).toEqual({ event_types: types.event_types });
  const status = JSON.parse(await agent.readResource('posthorn://status')) as object;
  expect(status).toMatchObject({ delivering: true, workers: 1, due_count: 0 });

  const template = { type: 'ref/resource' as const, uri: 'posthorn://subscriptions/{id}' };
  const [id = ''] = await agent.complete(template, 'id', 'sub_');
  expect(JSON.parse(await agent.readResource(`posthorn://subscriptions/${id}`))).toMatchObject({
    id,
    status: 'paused',
  });
  expect(await agent.complete(template, 'id', 'sub_zzz')).toEqual([]);
  const prompt = { type: 'ref/prompt' as const, name: 'debug_failing_webhook' };
  expect(await agent.complete(prompt, 'subscription_id', id.slice(0, 10))).toEqual([id]);
  const text = await agent.getPrompt('debug_failing_webhook', { subscription_id: id });
  expect(text).toContain('It is paused');
  expect(text).toContain('list_webhook_subscription_logs');
}
