/** What an event's body is made of. `data` is JSON text, or null where the endpoint does not want it. */
export interface Enveloped {
  publicId: string;
  type: string;
  occurredAt: number;
  data: string | null;
}

/** The body that receivers get. Its bytes are what the signatures cover, so it is written once and never parsed again. */
export function envelope(event: Enveloped): string {
  const head = `{"id":${JSON.stringify(event.publicId)},"type":${JSON.stringify(event.type)},"timestamp":"${new Date(event.occurredAt).toISOString()}"`;
  return event.data === null ? `${head}}` : `${head},"data":${event.data}}`;
}
