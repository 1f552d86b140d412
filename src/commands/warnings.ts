import { type Config, unknownVariables } from '../config.ts';

/** What an operator should know before anything goes wrong. */
export function warnings(config: Config): string[] {
  const lines = unknownVariables();
  if (config.allowTargets.length > 0) {
    lines.push(`Exceptions to the egress policy (POSTHORN_ALLOW_TARGETS): ${config.allowTargets.join(', ')}`);
  }
  if (!config.dispatch) lines.push('This process does not deliver (POSTHORN_DISPATCH=off): another one has to.');
  return lines;
}
