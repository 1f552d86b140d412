import { PosthornError } from '../errors.ts';
import type { ChainHead } from '../ports/audit-store.ts';
import type { Inputs } from '../inputs.ts';
import type { Store } from '../ports/ports.ts';
import { type ChainFault, type ChainLink, chainStart, endFault, nextLink } from '../rules/audit.ts';
import { rowBefore } from '../rules/ids.ts';
import { showAudit } from '../rules/show.ts';
import type { AuditRow, AuditVerdict, Page, Principal } from '../types.ts';
import { type Context, notFound } from '../use-case.ts';
import { page } from './logs.ts';

/** Rows that are checked at a time. */
const stepMax = 1_000;

/** Who changed what, newest first. */
export async function listAudit(
  context: Context,
  principal: Principal,
  input: Inputs['listAudit'],
): Promise<Page<AuditRow>> {
  const rows = await context.store.audit.list(principal.workspaceId, {
    action: input.action,
    target: input.target_id,
    principalKeyId: input.key_id,
    face: input.face,
    since: input.since === undefined ? undefined : Date.parse(input.since),
    until: input.until === undefined ? undefined : Date.parse(input.until),
    before: rowBefore(input.cursor),
    limit: input.limit + 1,
  });
  return page(
    rows.map((row) => ({ ...row, id: row.seq })),
    input.limit,
    showAudit,
  );
}

/** Checks every chain, or that of one workspace, from its first row to its last. Throws `not_found`. */
export async function verifyAudit({ store }: Pick<Context, 'store'>, workspace?: string): Promise<AuditVerdict[]> {
  const heads = await store.audit.heads();
  const chosen = heads.filter(({ workspaceName }) => workspace === undefined || workspaceName === workspace);
  if (workspace !== undefined && chosen.length === 0)
    throw new PosthornError('not_found', `There is no workspace "${workspace}".`);
  const verdicts: AuditVerdict[] = [];
  for (const { workspaceId } of chosen) verdicts.push(await verdictOn(store, workspaceId));
  return verdicts;
}

/**
 * Each round reads the head before the rows, so that what is appended meanwhile is only more to read: when there is no
 * row any more, the head that was read before has to count the rows that were read before it.
 */
async function verdictOn(store: Store, workspaceId: number): Promise<AuditVerdict> {
  let last: ChainLink = chainStart;
  for (;;) {
    const head = await headOf(store, workspaceId);
    const rows = await store.audit.chain(workspaceId, last.seq, stepMax);
    if (rows.length === 0) return shown(head, last, endFault(last, head));
    for (const row of rows) {
      const next = nextLink(last, head.workspacePublicId, row);
      if ('fault' in next) return shown(head, last, next);
      last = next;
    }
  }
}

async function headOf(store: Store, workspaceId: number): Promise<ChainHead> {
  const head = (await store.audit.heads()).find((one) => one.workspaceId === workspaceId);
  if (head === undefined) throw notFound('workspace');
  return head;
}

function shown(head: ChainHead, last: ChainLink, broken: ChainFault | null): AuditVerdict {
  const { workspacePublicId, workspaceName } = head;
  return {
    workspace_id: workspacePublicId,
    workspace: workspaceName,
    rows: last.seq,
    hash: last.hash.toString('hex'),
    broken,
  };
}
