import { rowId } from '../../src/core/rules/ids.ts';
import { PosthornError } from '../../src/core/errors.ts';
import type { Principal } from '../../src/core/types.ts';
import { scopes } from '../../src/core/vocabulary.ts';
import { guarded } from './database.ts';
import { epoch, type Life, type Machine } from './life.ts';

const principal: Principal = {
  workspaceId: 1,
  kind: 'local',
  keyId: null,
  name: 'local',
  scopes: new Set(scopes),
  via: { face: 'cli', client: null },
};
const types = ['contact.created', 'contact.updated'] as const;

interface Draft {
  id: string;
  type: string;
  data: { n: number };
}

/** The same id for something else. */
const otherData = (draft: Draft): Draft => ({ ...draft, data: { n: -1 } });

/** What a caller may be told without anything being wrong. */
const expected = new Set([
  'store_unavailable',
  'not_found',
  'not_active',
  'not_retryable',
  'pending_approval',
  'event_id_conflict',
]);

/** Publishers and people, who call the program and keep their own account of what they were told. */
export class Client {
  readonly #machine: Machine;
  /** Events whose publishing was answered, by their id. */
  readonly acknowledged = new Map<string, { data: string; at: number }>();
  readonly erased = new Set<string>();
  readonly #drafts: Draft[] = [];
  /** By the first part of its URL's path. */
  readonly endpoints = new Map<string, { id: string; deleted: boolean }>();
  #endpointCount = 0;
  #calls: { life: Life }[] = [];
  /** Somebody had deliveries sent again that may have succeeded. */
  askedAgain = false;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** Whether an answer is still awaited from a process that lives. */
  get waits(): boolean {
    return this.#calls.some(({ life }) => !life.dead);
  }

  createEndpoint(life: Life): void {
    const key = `e${++this.#endpointCount}`;
    const { random } = this.#machine.world;
    const events = random.chance(0.6) ? ['*'] : [random.pick(types)];
    this.#call(life, `create ${key}`, async () => {
      const { id } = await life.core.createSubscription(principal, { url: `https://x.example/${key}/1`, events });
      this.endpoints.set(key, { id, deleted: false });
    });
  }

  publish(life: Life): void {
    const { random } = this.#machine.world;
    const again = random.chance(0.1) && this.#drafts.length > 0;
    if (again)
      return this.#publishOne(
        life,
        random.chance(0.3) ? otherData(random.pick(this.#drafts)) : random.pick(this.#drafts),
      );
    if (random.chance(0.8)) return this.#publishOne(life, this.#draft());
    this.#publishMany(life, this.#newDrafts(random.int(2, 5)));
  }

  publishBurst(life: Life): void {
    this.#publishMany(life, this.#newDrafts(this.#machine.world.random.int(8, 20)));
  }

  #publishMany(life: Life, drafts: Draft[]): void {
    const { random } = this.#machine.world;
    // One that was published before may stand among new ones.
    if (random.chance(0.3)) drafts.push(random.pick(this.#drafts));
    // A conflict in an array takes nothing of it.
    const last = random.chance(0.2) ? drafts.at(-1) : undefined;
    const sent = drafts.map((draft) => (draft === last ? otherData(draft) : draft));
    this.#call(life, `publish ${sent.map(({ id }) => id).join(' ')}`, async () => {
      const answers = await life.core.publishMany(principal, sent);
      for (const [index, { published }] of answers.entries()) this.#acknowledge(published.id, sent[index]);
    });
    for (const draft of drafts) this.#publishAgainUnlessAnswered(draft);
  }

  #newDrafts(count: number): Draft[] {
    return Array.from({ length: count }, () => this.#draft());
  }

  #draft(): Draft {
    const n = this.#drafts.length + 1;
    const draft = { id: `ev${n}`, type: this.#machine.world.random.pick(types), data: { n } };
    this.#drafts.push(draft);
    return draft;
  }

  #publishOne(life: Life, draft: Draft): void {
    this.#call(life, `publish ${draft.id}`, async () => {
      const { published } = await life.core.publish(principal, draft);
      this.#acknowledge(published.id, draft);
    });
    this.#publishAgainUnlessAnswered(draft);
  }

  /** As the advice for `store_unavailable` says: the same request again, under the same id. */
  #publishAgainUnlessAnswered(draft: Draft): void {
    const { world } = this.#machine;
    world.after(world.random.int(300, 3_000), null, () => {
      if (this.acknowledged.has(draft.id)) return;
      const life = this.#machine.anyLife();
      if (life !== null) this.#publishOne(life, draft);
    });
  }

  #acknowledge(id: string, draft: Draft | undefined): void {
    const data = JSON.stringify(draft?.data);
    const before = this.acknowledged.get(id);
    // What an erased payload was can no longer be compared.
    if (before !== undefined && before.data !== data && !this.erased.has(id))
      this.#machine.world.fault(`${id} was acknowledged with other data`);
    if (before === undefined) this.acknowledged.set(id, { data, at: this.#machine.world.now });
  }

  /** Something that people do with an endpoint, a delivery or an event. */
  act(life: Life): void {
    const { world } = this.#machine;
    const known = [...this.endpoints].filter(([, { deleted }]) => !deleted);
    if (known.length === 0) return this.createEndpoint(life);
    const [key, endpoint] = world.random.pick(known);
    const subscription = { subscription_id: endpoint.id };
    const action = world.random.pick([
      'pause',
      'activate',
      'activate',
      'move',
      'delete',
      'delete',
      'retry',
      'replay',
      'erase',
      'create',
    ]);
    const { core } = life;
    const call = (run: () => Promise<unknown>) => this.#call(life, `${action} ${key}`, run);
    switch (action) {
      case 'pause':
        return call(() => core.updateSubscription(principal, { ...subscription, status: 'paused' }));
      case 'activate':
        return call(() => core.updateSubscription(principal, { ...subscription, status: 'active' }));
      case 'move':
        return call(() =>
          core.updateSubscription(principal, {
            ...subscription,
            url: `https://x.example/${key}/${world.random.int(2, 9)}`,
          }),
        );
      case 'delete':
        endpoint.deleted = true;
        return call(() => core.deleteSubscription(principal, subscription));
      case 'retry':
        return call(() => this.#retry(life));
      case 'replay':
        this.askedAgain = true;
        return call(() =>
          core.replaySubscription(principal, {
            ...subscription,
            since: new Date(epoch - 120_000).toISOString(),
            status: world.random.pick(['failed', 'missed', 'all']),
          }),
        );
      case 'erase':
        return call(() => this.#erase(life));
      default:
        return this.createEndpoint(life);
    }
  }

  async #retry(life: Life): Promise<void> {
    const { world, db } = this.#machine;
    const ids = guarded(db, () => {})
      .prepare<[], number>('select id from deliveries order by id')
      .pluck()
      .all();
    if (ids.length === 0) return;
    this.askedAgain = true;
    await life.core.retryDelivery(principal, { delivery_id: rowId('dlv', world.random.pick(ids)) });
  }

  async #erase(life: Life): Promise<void> {
    const { random } = this.#machine.world;
    if (this.acknowledged.size === 0) return;
    const id = random.pick([...this.acknowledged.keys()]);
    this.erased.add(id);
    this.#machine.world.note(`${life.name}: erases ${id}`);
    await life.core.eraseEventData(principal, { event_id: id });
  }

  /** Calls a process. What comes back when it is dead reaches nobody. */
  #call(life: Life, what: string, run: () => Promise<unknown>): void {
    const { world } = this.#machine;
    const call = { life };
    this.#calls.push(call);
    world.note(`${life.name}: ${what} …`);
    run()
      .then(
        () => world.note(`${life.name}: ${what} done`),
        (error: unknown) => {
          const code = error instanceof PosthornError ? error.code : String(error);
          world.note(`${life.name}: ${what}: ${code}`);
          if (!expected.has(code)) world.fault(`${what.replaceAll(/\d+/g, 'N')} answered ${code}`);
        },
      )
      .finally(() => {
        this.#calls = this.#calls.filter((one) => one !== call);
      });
  }
}
