import { describe, expect, it } from 'vitest';
import { Attempt } from '../../src/net/attempt.ts';
import { InFlight } from '../../src/net/in-flight.ts';

describe('attempts in flight', () => {
  const begin = (inFlight: InFlight<Attempt>) => new Attempt(0, inFlight, () => {});
  const all = (inFlight: InFlight<Attempt>) => {
    const seen: Attempt[] = [];
    inFlight.forEach((attempt) => seen.push(attempt));
    return seen;
  };

  it('are those that have begun and not ended', () => {
    const inFlight = new InFlight<Attempt>();
    const [first, second, third] = [begin(inFlight), begin(inFlight), begin(inFlight)];
    second.end('timeout');
    expect(all(inFlight)).toEqual([first, third]);
    const fourth = begin(inFlight);
    expect(inFlight.size).toBe(3);
    expect(new Set(all(inFlight))).toEqual(new Set([first, third, fourth]));
  });

  it('leave their place once, however often they are ended', () => {
    const inFlight = new InFlight<Attempt>();
    const first = begin(inFlight);
    first.end('timeout');
    const second = begin(inFlight);
    first.end('interrupted');
    first.onResponseEnd();
    expect(all(inFlight)).toEqual([second]);
  });

  it('may end while all are visited', () => {
    const inFlight = new InFlight<Attempt>();
    for (let count = 0; count < 100; count++) begin(inFlight);
    inFlight.forEach((attempt) => attempt.end('interrupted'));
    expect(inFlight.size).toBe(0);
    expect(all(inFlight)).toEqual([]);
  });
});
