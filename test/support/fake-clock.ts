import type { Clock } from '../../src/core/ports/ports.ts';

interface Timer {
  at: number;
  run(): void;
}

/** A clock that stands still until it is told otherwise. */
export class FakeClock implements Clock {
  #at: number;
  #setBackMs = 0;
  readonly #timers = new Set<Timer>();

  constructor(now = Date.parse('2026-11-23T10:00:00Z')) {
    this.#at = now;
  }

  now(): number {
    return this.#at - this.#setBackMs;
  }

  monotonic(): number {
    return this.#at;
  }

  /** As an operator does who sets it by `ms` milliseconds: no time passes. */
  setBack(ms: number): void {
    this.#setBackMs += ms;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.#at + ms, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Moves on by `ms` and rings what became due on the way, in order. */
  advance(ms: number): void {
    const until = this.#at + ms;
    for (;;) {
      const next = [...this.#timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#at = Math.max(this.#at, next.at);
      next.run();
    }
    this.#at = until;
  }

  /** As a machine does that slept: the time has passed, and what was due rings only now. */
  jump(ms: number): void {
    this.#at += ms;
    this.advance(0);
  }
}
