import { describe, expect, it } from 'vitest';
import { builtInEventTypes, builtInNames } from '../../src/core/catalogue.ts';
import { inputs, limits } from '../../src/core/inputs.ts';
import { eventType } from '../../src/core/types.ts';

describe('the catalogue', () => {
  it('has the families of a CRM, each in one piece', () => {
    const families = builtInNames.map((name) => name.slice(0, name.indexOf('.')));
    const runs = families.filter((family, index) => family !== families[index - 1]);
    expect(runs).toEqual(['contact', 'company', 'opportunity', 'form', 'task', 'appointment', 'call', 'message']);
  });

  it('holds the events that receivers know from the reference', () => {
    expect(builtInNames).toEqual(expect.arrayContaining(['opportunity.updated', 'contact.created', 'form.submitted']));
  });

  it('names each event type once, as family and what happened', () => {
    expect(new Set(builtInNames).size).toBe(builtInNames.length);
    for (const name of builtInNames) {
      expect(name).toMatch(/^[a-z]+\.[a-z]+(_[a-z]+)*$/);
      expect(name.length).toBeLessThanOrEqual(limits.eventTypeCharactersMax);
    }
  });

  it('describes each in a sentence', () => {
    for (const { description } of builtInEventTypes) expect(description).toMatch(/^[A-Z][^.]*\.$/);
    expect(new Set(builtInEventTypes.map(({ description }) => description)).size).toBe(builtInEventTypes.length);
  });

  it('gives each an example that can be published as it is', () => {
    for (const { name, example } of builtInEventTypes) {
      const text = JSON.stringify(example);
      expect(JSON.parse(text)).toEqual(example);
      expect(Buffer.byteLength(text)).toBeLessThan(2_048);
      expect(inputs.publish.safeParse({ type: name, data: example }).success).toBe(true);
    }
  });

  it('shows each as an event type', () => {
    for (const one of builtInEventTypes) {
      expect(eventType.safeParse({ ...one, schema: null, validation: 'off', built_in: true }).success).toBe(true);
    }
  });

  it('names people, hosts and numbers that are nobody’s', () => {
    const examples = JSON.stringify(builtInEventTypes);
    for (const [address] of examples.matchAll(/[\w.]+@[\w.]+/g)) expect(address).toMatch(/@example\.(com|org|net)$/);
    for (const [number] of examples.matchAll(/\+\d{6,}/g)) expect(number).toMatch(/^\+614000000\d\d$/);
    expect(examples).not.toMatch(/https?:/);
  });
});
