const empty = { contact: { id: 'con_1', note: '' } };
const note = 'x'.repeat(1_024 - JSON.stringify(empty).length);

/** What every row publishes: an event whose data are 1 KiB of JSON. */
export const sampleEvent = { type: 'contact.created', data: { contact: { ...empty.contact, note } } } as const;
