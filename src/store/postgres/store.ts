import type { Store } from '../../core/ports.ts';
import type { HealthLimits } from '../../core/rules/health.ts';

export async function openPostgres(_url: string, _limits: HealthLimits): Promise<Store> {
  throw new Error('not yet');
}
