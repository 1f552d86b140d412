const svg = (path: string) =>
  `<svg viewBox="0 0 20 20" width="18" height="18" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">${path}</svg>`;

/** Drawn for this page; all decoration, so that screen readers pass over them. */
export const icon = {
  horn: svg('<path d="M3 8v4h3l7 4V4L6 8z"/><path d="M16 7.5a3.5 3.5 0 0 1 0 5"/><path d="M6 12v4h2.5v-2.6"/>'),
  overview: svg('<path d="M3 16V9M8 16V4M13 16v-5M18 16H2"/>'),
  logs: svg('<path d="M3 5h14M3 10h14M3 15h9"/>'),
  events: svg('<path d="M11 2 4 11h5l-1 7 8-10h-5z"/>'),
  webhooks: svg(
    '<circle cx="6" cy="14" r="2.5"/><circle cx="14" cy="14" r="2.5"/><circle cx="10" cy="5" r="2.5"/><path d="m9 7.4-2.2 4.4M8.5 14h3M11.2 7.2l2.1 4.3"/>',
  ),
  automations: svg(
    '<rect x="2.5" y="3" width="6" height="5" rx="1"/><rect x="11.5" y="12" width="6" height="5" rx="1"/><path d="M5.5 8v6.5h6"/>',
  ),
} as const;
