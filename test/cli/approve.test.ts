import { describe, expect, it } from 'vitest';
import { freshDatabase, open, run } from './here.ts';

/** A subscription on a host that is new to its workspace, where such a one has to wait. */
async function pending(workspace?: string) {
  const { env } = await freshDatabase();
  const posthorn = await open({ ...env, POSTHORN_NEW_HOSTS: 'approve', POSTHORN_ALLOW_TARGETS: '127.0.0.0/8' });
  if (workspace !== undefined) await posthorn.operator.createWorkspace(workspace);
  const principal = await posthorn.operator.principal(workspace);
  const input = { url: 'http://127.0.0.1:9/hook', events: ['*'] };
  const { id, status } = await posthorn.core.createSubscription(principal, input);
  expect(status).toBe('pending_approval');
  const statusNow = async () => (await posthorn.core.getSubscription(principal, { subscription_id: id })).status;
  return { env, id, statusNow, core: posthorn.core, principal };
}

describe('approve', () => {
  it('lets an endpoint receive, and says so when it did not wait', async () => {
    const { env, id, statusNow } = await pending();
    const line = `${id} is active: http://127.0.0.1:9/hook\n`;
    expect(await run(['approve', id], env)).toEqual({ code: 0, stdout: line, stderr: '' });
    expect(await statusNow()).toBe('active');
    const again = { code: 0, stdout: line, stderr: 'It did not wait for approval: nothing was changed.\n' };
    expect(await run(['approve', id], env)).toEqual(again);
  });

  it('speaks JSON, and knows workspaces apart', async () => {
    const { env, id, statusNow } = await pending('acme');
    const elsewhere = await run(['approve', id], env);
    expect(elsewhere).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/^posthorn: not_found: /) });
    expect(await statusNow()).toBe('pending_approval');
    const { code, stdout } = await run(['approve', id, '--workspace', 'acme', '--json'], env);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ id, status: 'active', url: 'http://127.0.0.1:9/hook' });
  });

  it('lets a webhook config receive likewise', async () => {
    const { env, core, principal } = await pending();
    const { id } = await core.createConfig(principal, { name: 'Team', url: 'http://127.0.0.1:9/team' });
    const line = `${id} is active: http://127.0.0.1:9/team\n`;
    expect(await run(['approve', id], env)).toEqual({ code: 0, stdout: line, stderr: '' });
    expect(await core.getConfig(principal, { config_id: id })).toMatchObject({ status: 'active' });
  });

  it('shows those that wait, of either kind', async () => {
    const { env, id, core, principal } = await pending();
    const config = await core.createConfig(principal, { name: 'Team', url: 'http://127.0.0.1:9/team' });
    const { code, stdout, stderr } = await run(['approve', '--list'], env);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.split('\n')).toEqual([
      expect.stringMatching(/^ID +CREATED +URL$/),
      expect.stringMatching(new RegExp(`^${id}  \\S+  http://127.0.0.1:9/hook$`)),
      expect.stringMatching(new RegExp(`^${config.id}  \\S+  http://127.0.0.1:9/team$`)),
      '',
    ]);
    await run(['approve', id], env);
    const listed = JSON.parse((await run(['approve', '--list', '--json'], env)).stdout) as object;
    expect(listed).toMatchObject({ pending: [{ id: config.id, status: 'pending_approval' }] });
    await run(['approve', config.id], env);
    expect(await run(['approve', '--list'], env)).toEqual({
      code: 0,
      stdout: '',
      stderr: 'Nothing waits for approval.\n',
    });
  });

  it('refuses an id that does not exist', async () => {
    const { env } = await freshDatabase();
    for (const id of ['sub_00000000000000000000000000', 'cfg_00000000000000000000000000', 'nonsense']) {
      expect(await run(['approve', id], env)).toMatchObject({
        code: 1,
        stdout: '',
        stderr: expect.stringMatching(/^posthorn: not_found: /),
      });
    }
  });
});
