import { openStore } from '../../src/store/open.ts';
import { publish } from './seed.ts';

/** A process of its own that publishes events one after the other, and ends. */
const [url = '', workspaceId = '', endpointId = '', name = '', count = ''] = process.argv.slice(2);

const store = await openStore(url, { healthLimits: { disableAfterFailures: 20, disableAfterMs: 0 } });
for (let i = 0; i < Number(count); i++) {
  const answer = await publish(store, Number(workspaceId), [
    { publicId: `${name}${i}`, endpointIds: [Number(endpointId)] },
  ]);
  if (answer.outcome !== 'stored') throw new Error(answer.outcome);
}
await store.close();
