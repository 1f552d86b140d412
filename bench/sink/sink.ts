import { findProgram } from '../find-program.ts';
import type { Stage } from '../stage.ts';
import { openBundledSink } from './bundled.ts';
import { openNginxSink } from './nginx.ts';

/** A receiver in a process of its own that answers 200 to whatever it gets, and counts. */
export interface Sink {
  readonly kind: 'nginx' | 'bundled';
  /** Where requests are to be sent. */
  readonly url: string;
  /** How many requests it received since it was opened. */
  received(): Promise<number>;
}

/** Opens nginx where it is installed, else the bundled receiver. It is closed with the stage. */
export async function openSink(stage: Stage): Promise<Sink> {
  const nginx = await findProgram('nginx');
  const sink = nginx === null ? await openBundledSink(stage) : await openNginxSink(stage, nginx);
  stage.progress(`the sink is ${sink.kind === 'nginx' ? 'nginx' : 'the bundled one, as nginx is not installed'}`);
  return sink;
}
