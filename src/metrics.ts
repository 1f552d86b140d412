import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Worker } from './core/journey/worker.ts';
import type { Metrics, Store } from './core/ports/ports.ts';

/** Buckets of an attempt's duration in seconds, up to its default deadline. */
const durationBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15];

/** Counters for core to feed, and the page that Prometheus reads. No figure is kept by workspace. */
export interface PrometheusMetrics extends Metrics {
  /** The text exposition format, with what is read from store and worker at this moment. */
  page(store: Store, worker: Worker, now: number): Promise<{ contentType: string; text: string }>;
}

export function makeMetrics(): PrometheusMetrics {
  const registers = [new Registry()];
  const [registry] = registers as [Registry];
  collectDefaultMetrics({ register: registry, prefix: 'posthorn_' });
  const events = new Counter({ name: 'posthorn_events_accepted_total', help: 'Events accepted', registers });
  const owed = new Counter({ name: 'posthorn_deliveries_created_total', help: 'Deliveries made for them', registers });
  const attempts = new Counter({
    name: 'posthorn_attempts_total',
    help: 'Attempts by outcome: succeeded, or the error',
    labelNames: ['outcome'],
    registers,
  });
  const durations = new Histogram({
    name: 'posthorn_attempt_duration_seconds',
    help: 'From the first byte out to the end of the answer',
    buckets: durationBuckets,
    registers,
  });
  // Looking a label up costs more than counting it.
  const byOutcome = new Map<string, { inc(): void }>();
  const outcomeCounter = (outcome: string) => {
    const known = byOutcome.get(outcome) ?? attempts.labels(outcome);
    byOutcome.set(outcome, known);
    return known;
  };
  const gauge = (name: string, help: string) => new Gauge({ name: `posthorn_${name}`, help, registers });
  const due = gauge('deliveries_due', 'Deliveries that could be sent now, counted up to 10,000');
  const oldest = gauge('oldest_due_seconds', 'How long the longest waiting of them has waited');
  const workers = gauge('workers', 'Processes that deliver');
  const inFlight = gauge('attempts_in_flight', 'Attempts of this process whose answer is awaited');
  return {
    accepted(count, deliveries) {
      events.inc(count);
      owed.inc(deliveries);
    },
    attempted(error, durationMs) {
      outcomeCounter(error ?? 'succeeded').inc();
      durations.observe(durationMs / 1_000);
    },
    async page(store, worker, now) {
      const status = await store.journey.status(null, now);
      due.set(status.dueCount);
      oldest.set(status.oldestDueAt === null ? 0 : Math.max(0, now - status.oldestDueAt) / 1_000);
      workers.set(status.workers);
      inFlight.set(worker.pulse().inFlight);
      return { contentType: registry.contentType, text: await registry.metrics() };
    },
  };
}
