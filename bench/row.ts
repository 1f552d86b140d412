import { median } from './samples.ts';
import type { Stage } from './stage.ts';

/** One row of the table: what is done, and how it is measured. */
export interface Row {
  name: string;
  /** One sentence: what the figures are figures of. */
  work: string;
  /** One sentence from a profile: what keeps it from being faster. */
  bound?: string;
  measure(stage: Stage): Promise<Figure[]>;
}

/** One measured thing. Where there are several samples, `value` is their median unless `what` says otherwise. */
export interface Figure {
  what: string;
  value: number;
  unit: string;
  samples: number[];
  /** What it is compared with, measured in the same run. */
  against: { what: string; value: number; samples: number[] } | null;
  /** `value` through `against.value`. */
  ratio: number | null;
  /** Null where nothing is asked of this figure. */
  reach: Reach | null;
}

/** What a figure has to reach, by its value or by its ratio. */
export type Reach = { of: 'value' | 'ratio' } & ({ atLeast: number } | { atMost: number });

/** Whether a figure reaches what is asked of it; null when nothing is. */
export function reached({ value, ratio, reach }: Figure): boolean | null {
  if (reach === null) return null;
  const number = reach.of === 'ratio' ? ratio : value;
  if (number === null) return false;
  return 'atLeast' in reach ? number >= reach.atLeast : number <= reach.atMost;
}

type Compared = { what: string; unit: string; samples: number[]; against: { what: string; samples: number[] } };

/** The median of samples, beside that of what it is compared with. */
export function comparedFigure({ against, samples, ...named }: Compared, reach: Reach | null): Figure {
  const value = median(samples);
  const other = median(against.samples);
  return { ...named, value, samples, against: { ...against, value: other }, ratio: value / other, reach };
}

/** A figure that stands by itself. */
export function plainFigure(named: { what: string; value: number; unit: string }, reach: Reach | null): Figure {
  return { ...named, samples: [], against: null, ratio: null, reach };
}
