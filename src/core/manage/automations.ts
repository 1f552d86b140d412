import type { AutomationOutcome, AutomationRecord } from '../ports/automation-store.ts';
import { type FieldError, PosthornError } from '../errors.ts';
import { type Inputs, limits } from '../inputs.ts';
import { checkCondition } from '../rules/condition.ts';
import { rowBefore } from '../rules/ids.ts';
import { makerOf } from '../rules/maker.ts';
import { showAutomation } from '../rules/show.ts';
import type { Automation, DryRun, Page, Principal } from '../types.ts';
import { type Context, notFound } from '../use-case.ts';
import { dryRun } from './dry-run.ts';
import { checkPatterns } from './event-types.ts';
import { page } from './logs.ts';

/** When this event (and this condition), call these webhook configs: each at most once, whatever else wants the event. */
export async function createAutomation(
  context: Context,
  principal: Principal,
  input: Inputs['createAutomation'],
): Promise<Automation> {
  await check(context, principal, input);
  const outcome = await context.store.automations.insert(
    {
      publicId: context.newId('aut'),
      workspaceId: principal.workspaceId,
      name: input.name,
      triggerEvent: input.trigger_event,
      conditions: input.conditions ?? null,
      configIds: input.actions.map(({ config_id }) => config_id),
      enabled: input.enabled,
      createdByKeyId: makerOf(principal),
      now: context.clock.now(),
    },
    limits.automationsPerWorkspaceMax,
  );
  return showAutomation(storedOf(outcome));
}

export async function listAutomations(
  context: Context,
  principal: Principal,
  input: Inputs['listAutomations'],
): Promise<Page<Automation>> {
  const { workspaceId } = principal;
  const rows = await context.store.automations.list(workspaceId, rowBefore(input.cursor), input.limit + 1);
  return page(rows, input.limit, showAutomation);
}

export async function getAutomation(
  context: Context,
  principal: Principal,
  input: Inputs['automationId'],
): Promise<Automation> {
  return showAutomation(await find(context, principal, input));
}

export async function updateAutomation(
  context: Context,
  principal: Principal,
  input: Inputs['updateAutomation'],
): Promise<Automation> {
  await find(context, principal, input);
  await check(context, principal, input);
  const { automation_id: id, name, trigger_event: triggerEvent, conditions, actions, enabled } = input;
  const outcome = await context.store.automations.update(principal.workspaceId, id, {
    ...(name === undefined ? {} : { name }),
    ...(triggerEvent === undefined ? {} : { triggerEvent }),
    ...(conditions === undefined ? {} : { conditions }),
    ...(actions === undefined ? {} : { configIds: actions.map(({ config_id }) => config_id) }),
    ...(enabled === undefined ? {} : { enabled }),
    now: context.clock.now(),
  });
  return showAutomation(storedOf(outcome));
}

export async function deleteAutomation(
  context: Context,
  principal: Principal,
  input: Inputs['automationId'],
): Promise<{ id: string; deleted: true }> {
  const isDeleted = await context.store.automations.delete(principal.workspaceId, input.automation_id);
  if (!isDeleted) throw notFound('automation');
  return { id: input.automation_id, deleted: true };
}

/** For which of the newest retained events it would have called its configs, and why not for the others. */
export async function dryRunAutomation(
  context: Context,
  principal: Principal,
  input: Inputs['automationId'],
): Promise<DryRun> {
  const { triggerEvent, conditions } = await find(context, principal, input);
  return dryRun(context, principal, {
    events: [triggerEvent],
    ...(conditions === null ? {} : { condition: conditions }),
  });
}

async function find(context: Context, principal: Principal, input: Inputs['automationId']): Promise<AutomationRecord> {
  const record = await context.store.automations.get(principal.workspaceId, input.automation_id);
  if (record === null) throw notFound('automation');
  return record;
}

type Given = Pick<Inputs['updateAutomation'], 'trigger_event' | 'conditions' | 'actions'>;

/** Throws unless trigger, conditions and actions can be stored; whether the configs exist the store finds out. */
async function check(context: Context, { workspaceId }: Principal, given: Given): Promise<void> {
  const { trigger_event: trigger, conditions, actions = [] } = given;
  if (trigger !== undefined) await checkPatterns(context, workspaceId, [trigger], () => '/trigger_event');
  checkCondition(context.conditions, conditions, '/conditions');
  const ids = actions.map(({ config_id: id }) => id);
  const errors = ids.flatMap((id, index) => {
    const path = `/actions/${index}/config_id`;
    return ids.indexOf(id) === index ? [] : [{ path, message: `is there twice: one event is sent to a config once` }];
  });
  if (errors[0] !== undefined) throw wrong(errors[0].message, errors);
}

function storedOf(result: AutomationOutcome): AutomationRecord {
  switch (result.outcome) {
    case 'stored':
      return result.automation;
    case 'not_found':
      throw notFound('automation');
    case 'limit':
      throw new PosthornError(
        'limit_reached',
        `A workspace holds at most ${limits.automationsPerWorkspaceMax} automations; delete some first.`,
      );
    case 'unknown_config': {
      const message = 'is no webhook config of this workspace';
      throw wrong(message, [{ path: `/actions/${result.index}/config_id`, message }]);
    }
  }
}

function wrong(message: string, errors: FieldError[]): PosthornError {
  return new PosthornError('validation_failed', `${errors[0]?.path}: ${message}.`, { errors });
}
