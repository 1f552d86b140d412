import type { Core } from './core/core.ts';
import { PosthornError } from './core/errors.ts';
import { limits } from './core/inputs.ts';
import { verifyAudit } from './core/manage/audit.ts';
import type { WorkspaceRecord } from './core/ports/key-store.ts';
import type { Ports } from './core/ports/ports.ts';
import type { TargetVerdict } from './core/ports/sender.ts';
import { authorOf } from './core/rules/audited.ts';
import type { AuditVerdict, Principal, Via } from './core/types.ts';
import { scopes } from './core/vocabulary.ts';

/** A workspace as it is shown. */
export interface Workspace {
  id: string;
  name: string;
  created_at: string;
}

/** What whoever holds the database may do on its host, and no key may do through a face. */
export interface Operator {
  /** Every scope on the workspace of that name, `default` unless told. Throws `not_found`. */
  principal(workspace?: string): Promise<Principal>;
  workspaces(): Promise<Workspace[]>;
  /** Throws `validation_failed` for a name that does not fit, and an Error for one that is taken. */
  createWorkspace(name: string): Promise<Workspace>;
  /** Checks the audit log of every workspace, or of the one of that name. Throws `not_found`. */
  verifyAudit(workspace?: string): Promise<AuditVerdict[]>;
  checkTarget(url: string): Promise<TargetVerdict>;
  /** What the server on this database goes by, as it recorded it; null when none ever ran. */
  recordedSettings(): Promise<string | null>;
}

/** Who holds the database needs no face but the command line. */
const via: Via = { face: 'cli', client: null };

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
const nameForm = `use letters, digits, dots, hyphens and underscores, a letter or digit first, ${limits.nameCharactersMax} characters at most`;

export function makeOperator(core: Core, ports: Pick<Ports, 'store' | 'targets' | 'clock' | 'newId'>): Operator {
  const { keys } = ports.store;
  return {
    async principal(workspace) {
      const local = await core.localPrincipal(via);
      const everything = { ...local, scopes: new Set(scopes) };
      if (workspace === undefined) return everything;
      const found = (await keys.workspaces()).find(({ name }) => name === workspace);
      if (found === undefined) throw new PosthornError('not_found', `There is no workspace "${workspace}".`);
      return { ...everything, workspaceId: found.id };
    },
    async workspaces() {
      return (await keys.workspaces()).map(show);
    },
    async createWorkspace(name) {
      if (!namePattern.test(name) || name.length > limits.nameCharactersMax) {
        throw new PosthornError('validation_failed', `The workspace's name does not fit: ${nameForm}.`, {
          errors: [{ path: '/name', message: nameForm }],
        });
      }
      if ((await keys.workspaces()).some((each) => each.name === name)) {
        throw new Error(`There is a workspace "${name}" already: choose another name.`);
      }
      const now = ports.clock.now();
      const author = authorOf('workspace.create', await core.localPrincipal(via), now);
      return show(await ports.store.for(author).keys.ensureWorkspace(name, ports.newId('wsp'), now));
    },
    verifyAudit: (workspace) => verifyAudit(ports, workspace),
    checkTarget: (url) => ports.targets.check(url),
    recordedSettings: () => ports.store.settings.recorded(),
  };
}

function show({ publicId, name, createdAt }: WorkspaceRecord): Workspace {
  return { id: publicId, name, created_at: new Date(createdAt).toISOString() };
}
