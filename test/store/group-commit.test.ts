import { describe, expect, it } from 'vitest';
import { GroupCommit, type Outcome } from '../../src/store/group-commit.ts';
import { until } from '../support/until.ts';

/** A database that notes what it is asked and answers when it is let. */
function fakeDatabase(answer: (op: string) => Outcome<string> = (op) => ({ ok: true, value: op.toUpperCase() })) {
  const groups: string[][] = [];
  let held: PromiseWithResolvers<void> | null = null;
  return {
    groups,
    /** From now on, groups wait until they are released. */
    hold(): void {
      held = Promise.withResolvers();
    },
    release(): void {
      held?.resolve();
      held = null;
    },
    async commit(ops: string[]): Promise<Outcome<string>[]> {
      groups.push(ops);
      await held?.promise;
      return ops.map(answer);
    },
  };
}

describe('GroupCommit', () => {
  it('takes what arrives in one turn as one group, in order', async () => {
    const database = fakeDatabase();
    const commits = new GroupCommit<string, string>(database.commit, 10);
    expect(await Promise.all(['a', 'b', 'c'].map((op) => commits.add(op, 1)))).toEqual(['A', 'B', 'C']);
    expect(database.groups).toEqual([['a', 'b', 'c']]);
  });

  it('gathers the next group while one is being committed', async () => {
    const database = fakeDatabase();
    const commits = new GroupCommit<string, string>(database.commit, 10);
    database.hold();
    const first = commits.add('a', 1);
    await until(() => database.groups.length === 1);
    const rest = ['b', 'c'].map((op) => commits.add(op, 1));
    database.release();
    expect(await Promise.all([first, ...rest])).toEqual(['A', 'B', 'C']);
    expect(database.groups).toEqual([['a'], ['b', 'c']]);
  });

  it('gives a second group to a database that takes them in order, once it has 32 rows, and no third', async () => {
    const database = fakeDatabase();
    const commits = new GroupCommit<string, string>(database.commit, 1_000, 2);
    database.hold();
    const added = [commits.add('a', 1)];
    await until(() => database.groups.length === 1);
    added.push(commits.add('b', 31));
    await new Promise(setImmediate);
    expect(database.groups).toEqual([['a']]);
    added.push(commits.add('c', 1));
    await new Promise(setImmediate);
    expect(database.groups).toEqual([['a'], ['b', 'c']]);
    let alone = false;
    const exclusive = commits.exclusive(async () => void (alone = true));
    added.push(commits.add('d', 32));
    await new Promise(setImmediate);
    expect([database.groups.length, alone]).toEqual([2, false]);
    database.release();
    expect(await Promise.all(added)).toEqual(['A', 'B', 'C', 'D']);
    await exclusive;
  });

  it('does not wait for the end of the turn with 32 rows', async () => {
    const database = fakeDatabase();
    const commits = new GroupCommit<string, string>(database.commit, 1_000);
    const added = [commits.add('a', 31)];
    await new Promise<void>((resolve) => process.nextTick(resolve));
    expect(database.groups).toEqual([]);
    added.push(commits.add('b', 1));
    await new Promise<void>((resolve) => process.nextTick(resolve));
    expect(database.groups).toEqual([['a', 'b']]);
    await Promise.all(added);
  });

  it('bounds a group by its rows, and takes one that is larger by itself', async () => {
    const database = fakeDatabase();
    const commits = new GroupCommit<string, string>(database.commit, 5);
    const sizes = { a: 2, b: 3, c: 1, d: 99, e: 4, f: 1 };
    await Promise.all(Object.entries(sizes).map(([op, rows]) => commits.add(op, rows)));
    expect(database.groups).toEqual([['a', 'b'], ['c'], ['d'], ['e', 'f']]);
  });

  it('fails the operation that failed, and no other', async () => {
    const fault = new Error('bad');
    const database = fakeDatabase((op) => (op === 'b' ? { ok: false, error: fault } : { ok: true, value: op }));
    const commits = new GroupCommit<string, string>(database.commit, 10);
    const answers = await Promise.allSettled(['a', 'b', 'c'].map((op) => commits.add(op, 1)));
    expect(answers).toEqual([
      { status: 'fulfilled', value: 'a' },
      { status: 'rejected', reason: fault },
      { status: 'fulfilled', value: 'c' },
    ]);
  });

  it('fails a whole group that could not be committed, and goes on', async () => {
    const gone = new Error('gone');
    let broken = true;
    const commits = new GroupCommit<string, string>(async (ops) => {
      if (broken) throw gone;
      return ops.map((op) => ({ ok: true, value: op }));
    }, 10);
    const answers = await Promise.allSettled([commits.add('a', 1), commits.add('b', 1)]);
    expect(answers).toEqual([
      { status: 'rejected', reason: gone },
      { status: 'rejected', reason: gone },
    ]);
    broken = false;
    expect(await commits.add('c', 1)).toBe('c');
  });

  it('fails an operation that got no answer', async () => {
    const commits = new GroupCommit<string, string>(async () => [], 10);
    await expect(commits.add('a', 1)).rejects.toThrow('no answer');
  });

  it('gives exclusive work the database to itself', async () => {
    const database = fakeDatabase();
    const commits = new GroupCommit<string, string>(async (ops) => {
      expect(busy).toBe(false);
      busy = true;
      const outcomes = await database.commit(ops);
      busy = false;
      return outcomes;
    }, 10);
    let busy = false;
    const exclusive = (name: string) =>
      commits.exclusive(async () => {
        expect(busy).toBe(false);
        busy = true;
        await new Promise(setImmediate);
        busy = false;
        return name;
      });
    const answers = await Promise.all([commits.add('a', 1), exclusive('x'), commits.add('b', 1), exclusive('y')]);
    expect(answers).toEqual(['A', 'x', 'B', 'y']);
    await expect(commits.exclusive(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await commits.add('c', 1)).toBe('C');
  });

  it('lets neither exclusive work nor groups wait for ever', async () => {
    const database = fakeDatabase();
    const order: string[] = [];
    const commits = new GroupCommit<string, string>((ops) => {
      order.push(...ops);
      return database.commit(ops);
    }, 1);
    await Promise.all([
      ...['a', 'b'].map((op) => commits.add(op, 1)),
      ...['x', 'y'].map((name) => commits.exclusive(async () => void order.push(name))),
    ]);
    expect(order).toEqual(['x', 'a', 'y', 'b']);
  });

  it('is idle once nothing is under way or waits', async () => {
    const database = fakeDatabase();
    const commits = new GroupCommit<string, string>(database.commit, 1);
    await commits.idle();
    database.hold();
    const added = [commits.add('a', 1), commits.add('b', 1)];
    const idle = commits.idle().then(() => database.groups.length);
    database.release();
    expect(await idle).toBe(2);
    expect(await Promise.all(added)).toEqual(['A', 'B']);
  });
});
