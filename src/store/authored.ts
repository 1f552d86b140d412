import type { Author } from '../core/ports/audit-store.ts';
import type { Store } from '../core/ports/ports.ts';
import type { Access, ChangeAccess } from './access.ts';
import { appendAudit } from './manage/audit.ts';
import { type ManageStores, manageStores } from './manage/manage-stores.ts';

/** What of a store does not depend on who asks. */
export type BareStore = Omit<Store, keyof ManageStores | 'for'>;

/** The whole store. */
export function authored(bare: BareStore, access: Access): Store {
  const as = (changes: ChangeAccess): Store => ({ ...bare, ...manageStores(changes), for: bind });
  const bind = (author: Author | null) => (author === null ? reading : as(written(access, author)));
  const reading = as(refusing(access));
  return as(unwritten(access));
}

/** For the program itself, which is nobody: it leaves no row. */
function unwritten(access: Access): ChangeAccess {
  return { ...access, change: (work) => access.write(async (trx) => (await work(trx)).answer) };
}

/** For use cases that say of themselves that they change nothing. */
function refusing(access: Access): ChangeAccess {
  const refuse = () =>
    Promise.reject(new Error('a use case that declares no action for the audit log changes something'));
  return { ...access, write: refuse, change: refuse };
}

/** For one use case: the first change carries the row, and those that follow belong to it. */
function written(access: Access, author: Author): ChangeAccess {
  let isWritten = false;
  return {
    ...access,
    async write(work) {
      if (!isWritten) throw new Error(`${author.action} changes something before its row in the audit log`);
      return access.write(work);
    },
    async change(work) {
      const { answer, audit } = await access.write(async (trx) => {
        const changed = await work(trx);
        if (changed.audit !== null && !isWritten) await appendAudit(trx, author, changed.audit);
        return changed;
      });
      isWritten ||= audit !== null;
      return answer;
    },
  };
}
