import { html, type Html } from '../html.ts';

type Tone = 'good' | 'bad' | 'warn' | 'idle' | 'info';

export function badge(tone: Tone, text: string): Html {
  return html`<span class="badge ${tone}">${text}</span>`;
}

const tones: Record<string, [Tone, string]> = {
  succeeded: ['good', 'Succeeded'],
  failed: ['bad', 'Failed'],
  pending: ['info', 'Pending'],
  canceled: ['idle', 'Canceled'],
  active: ['good', 'Active'],
  failing: ['warn', 'Failing'],
  paused: ['idle', 'Paused'],
  disabled: ['bad', 'Disabled'],
  pending_approval: ['warn', 'Waits for approval'],
};

export function statusBadge(status: string): Html {
  const [tone, text] = tones[status] ?? ['idle', status];
  return badge(tone, text);
}

/** An active endpoint whose last attempts failed is shown as what matters: failing. */
export function endpointBadge(endpoint: { status: string; failing_since: string | null }): Html {
  return statusBadge(endpoint.status === 'active' && endpoint.failing_since !== null ? 'failing' : endpoint.status);
}
