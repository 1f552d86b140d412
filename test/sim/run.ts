import { allowsRepeats, type Chaos, chooseChaos, endChaos } from './chaos.ts';
import { Client } from './client.ts';
import { freshDatabase, guarded } from './database.ts';
import { epoch, Life, type Machine } from './life.ts';
import { type Mood, Network } from './network.ts';
import { checkPromises } from './promises.ts';
import { Watch } from './watch.ts';
import { World } from './world.ts';

/** How long things go wrong: where leases may run out, long enough for that. And how long the rest may then take. */
const shortMs = 2_000;
const longMs = 9_000;
const restMsMax = 150_000;

export interface Run {
  seed: number;
  chaos: Chaos;
  /** Sentences; none is as it should be. */
  faults: string[];
  trace: string[];
  events: number;
  requests: number;
}

/** One simulated run: the same seed does the same. */
export async function runSeed(seed: number): Promise<Run> {
  const world = new World(seed);
  const chaos = chooseChaos(world.random);
  const machine = new Simulation(world, chaos);
  const before = { ...chaos };
  const { chaosMs } = machine;
  world.note(JSON.stringify(chaos));
  await machine.begin();
  await world.run(chaosMs, () => false);
  machine.heal();
  const settled = await world.run(chaosMs + restMsMax, () => machine.isSettled());
  if (!settled) world.fault('what is owed did not come to its end');
  checkPromises(machine, { ...before, repeats: allowsRepeats(before) });
  const events = machine.client.acknowledged.size;
  return {
    seed,
    chaos: before,
    faults: [...world.faults],
    trace: world.trace,
    events,
    requests: machine.network.sent.length,
  };
}

/** Some processes on one machine, and what happens to them. */
export class Simulation implements Machine {
  readonly world: World;
  readonly chaos: Chaos;
  readonly network: Network;
  readonly db = freshDatabase();
  readonly watch: Watch;
  readonly client: Client;
  readonly chaosMs: number;
  clockOffset = 0;
  #latestClock = epoch;
  /** By place; null while it is down. */
  readonly lives: (Life | null)[] = [];
  readonly #stopping = new Set<Life>();
  #lifeCount = 0;
  #idCount = 0;

  constructor(world: World, chaos: Chaos) {
    this.world = world;
    this.chaos = chaos;
    this.chaosMs = chaos.kills || chaos.pauses || chaos.jumps ? longMs : shortMs;
    this.network = new Network(world, chaos.badReceivers);
    this.watch = new Watch(
      world,
      this.db,
      () => this.#clock(),
      (owner) => {
        for (const life of this.lives) if (life !== null && life !== owner) life.somethingChanged();
      },
    );
    this.client = new Client(this);
  }

  newId(prefix: string): string {
    return `${prefix}_${++this.#idCount}`;
  }

  /** The latest that any clock ever showed. */
  #clock(): number {
    const skew = Math.max(0, ...[...this.lives, ...this.#stopping].map((life) => life?.clockSkew ?? 0));
    this.#latestClock = Math.max(this.#latestClock, epoch + this.world.now + this.clockOffset + skew);
    return this.#latestClock;
  }

  anyLife(): Life | null {
    const running = this.lives.filter((life) => life !== null && !life.dead);
    return running.length === 0 ? null : this.world.random.pick(running);
  }

  /** Starts the processes, makes endpoints, and lays out what will happen. */
  async begin(): Promise<void> {
    const { world, chaos } = this;
    const bad = { ...chaos };
    endChaos(chaos);
    for (let place = 0; place < chaos.processes; place++) this.#start(place);
    // Makes the workspace.
    this.#withLife((life) => void life.core.bootstrap());
    await world.run(50, () => false);
    for (let n = world.random.int(1, 5); n > 0; n--) this.#withLife((life) => this.client.createEndpoint(life));
    await world.run(200, () => false);
    Object.assign(chaos, bad);
    const plan = (count: number, act: () => void) => {
      for (let n = 0; n < count; n++) world.after(world.random.float() * (this.chaosMs - 300), null, act);
    };
    plan(world.random.int(3, 25), () => this.#withLife((life) => this.client.publish(life)));
    if (chaos.bursts) plan(world.random.int(1, 2), () => this.#burst());
    if (chaos.people) plan(world.random.int(1, 20), () => this.#withLife((life) => this.client.act(life)));
    if (chaos.badReceivers) plan(world.random.int(1, 10), () => this.#changeMood());
    if (chaos.kills) plan(world.random.int(1, 5), () => this.#end(world.random.chance(0.25)));
    if (chaos.pauses) plan(world.random.int(1, 3), () => this.#pause());
    if (chaos.jumps) plan(world.random.int(1, 3), () => this.#jump());
  }

  /** Nothing goes wrong from now on, and whoever was away is back. */
  heal(): void {
    this.world.note('everything is well from now on');
    this.network.heal();
    endChaos(this.chaos);
    for (const [place, life] of this.lives.entries()) {
      if (life === null || life.dead) this.#start(place);
      else life.pausedUntil = Math.min(life.pausedUntil, this.world.now + 1_000);
    }
  }

  isSettled(): boolean {
    if (this.client.waits) return false;
    const open = guarded(this.db, () => {}).prepare<[], number>(
      `select exists (select 1 from deliveries d join endpoints e on e.id = d.endpoint_id
         where d.state = 2 or (d.state = 1 and e.status in (1, 5)))
       or exists (select 1 from events where fanned_out_after is not null)
       or exists (select 1 from endpoints where status = 5 and pending_count > 0) as open`,
    );
    return (open.get() as unknown as { open: number }).open === 0;
  }

  #withLife(act: (life: Life) => void): void {
    const life = this.anyLife();
    if (life !== null) act(life);
  }

  /** Much at once, and what is worst for it: a receiver that keeps everybody waiting, or a process that has to give it back. */
  #burst(): void {
    const { world, chaos } = this;
    this.#withLife((life) => this.client.publishBurst(life));
    if (chaos.badReceivers && world.random.chance(0.5)) this.#changeMood(['silent']);
    if (chaos.kills && world.random.chance(0.7))
      world.after(world.random.int(0, 200), null, () => this.#end(world.random.chance(0.7)));
  }

  #changeMood(allowed?: readonly Mood[]): void {
    const keys = [...this.client.endpoints.keys()];
    if (keys.length > 0) this.network.changeMood(this.world.random.pick(keys), allowed);
  }

  #start(place: number): void {
    const life = new Life(this, `p${place}#${++this.#lifeCount}`);
    if (this.chaos.jumps && this.world.random.chance(0.3)) life.clockSkew = this.world.random.int(-2_000, 2_000);
    this.#clock();
    this.lives[place] = life;
    this.world.note(`${life.name} starts`);
    const delivers = !this.chaos.publishOnly || place > 0 || this.chaos.processes === 1;
    if (!delivers) return;
    life.core.worker.start().catch((error: unknown) => {
      this.world.note(`${life.name} could not start: ${String(error)}`);
      life.die();
      this.#startLater(place);
    });
  }

  #startLater(place: number): void {
    this.world.after(this.world.random.int(100, 2_000), null, () => {
      const life = this.lives[place] ?? null;
      if (life === null || life.dead) this.#start(place);
    });
  }

  #end(kindly: boolean): void {
    const place = this.world.random.int(0, this.chaos.processes - 1);
    const life = this.lives[place] ?? null;
    if (life === null || life.dead) return this.#startLater(place);
    this.world.note(`${life.name} ${kindly ? 'is stopped' : 'is killed'}`);
    if (!kindly) {
      life.die();
      return this.#startLater(place);
    }
    this.lives[place] = null;
    this.#stopping.add(life);
    void life.core.worker.stop(this.world.random.int(0, 500)).finally(() => {
      life.die();
      this.#clock();
      this.#stopping.delete(life);
      this.#startLater(place);
    });
  }

  #pause(): void {
    const life = this.anyLife();
    if (life === null) return;
    const ms = this.world.random.int(100, 15_000);
    life.pausedUntil = this.world.now + ms;
    this.world.note(`${life.name} is paused for ${ms} ms`);
  }

  #jump(): void {
    const { random } = this.world;
    const ms = random.pick([
      random.int(-20_000, -1),
      random.int(1, 20_000),
      random.int(1, 60_000),
      random.int(-50, 50),
    ]);
    this.#clock();
    this.clockOffset += ms;
    this.#clock();
    this.world.note(`the clock jumps by ${ms} ms`);
  }
}
