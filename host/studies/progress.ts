import type { Progress } from '../../contract/jobs.ts';
import { usesTargetLabels } from '../../contract/source.ts';
import type { PlannedRun } from './plan.ts';

/** Share of a study that must be trained before its time left is worth saying. */
const ENOUGH = 0.01;

/** How people call a run: `RI-T seed 1, shuffle 12`. */
export function runTitle(run: PlannedRun): string {
  const { spec, arm } = run;
  const shuffle = spec.shuffle === 'none' ? 'no shuffle' : `shuffle ${spec.shuffle}`;
  if (spec.kind === 'target') return `${arm} seed ${spec.seed}, ${shuffle}`;
  const unusual = arm === 'P' ? '' : `, ${arm.slice('P '.length)}`;
  return `pretraining on ${spec.data.domains.join(' + ')}${unusual}, seed ${spec.seed}`;
}

/** Images that a run learns from in an epoch; the most that can be, with pseudo-labels. */
export function learntImages({ spec: { data, source } }: PlannedRun): number {
  const own = data.train.images;
  if (!source) return own;
  const both = usesTargetLabels(source.way) || source.way === 'pseudo-labels';
  return source.images + (both ? own : 0);
}

/** Images that a run passes through in training. */
export function imagesOfRun(run: PlannedRun): number {
  return run.spec.training.epochs * learntImages(run);
}

/** Progress over a whole study in images; time left from what this session has trained so far. */
export class StudyProgress {
  readonly #total: number;
  readonly #began = performance.now();
  readonly #send: (progress: Progress) => void;
  /** Images of finished runs, of the run under way, and of those what was not trained just now. */
  #finished = 0;
  #current = 0;
  #foundDone = 0;
  #rate: number | null = null;
  #phase = '';

  /** `total`: images of all runs that are still to be trained. */
  constructor(total: number, send: (progress: Progress) => void) {
    this.#total = total;
    this.#send = send;
  }

  phase(phase: string): void {
    this.#phase = phase;
    this.#tell();
  }

  /** `images`: how far the run under way is. `trained`: false for what its journal already had. */
  at(images: number, trained: boolean, rate: number | null = this.#rate): void {
    if (!trained) this.#foundDone += Math.max(0, images - this.#current);
    this.#current = Math.max(this.#current, images);
    this.#rate = rate;
    this.#tell();
  }

  runEnded(images: number): void {
    this.#finished += images;
    this.#current = 0;
    this.#tell();
  }

  #tell(): void {
    const done = Math.min(this.#total, this.#finished + this.#current);
    const trained = done - this.#foundDone;
    const perImage = (performance.now() - this.#began) / 1000 / trained;
    const known = trained > this.#total * ENOUGH;
    this.#send({
      phase: this.#phase,
      done,
      total: this.#total,
      unit: 'images',
      rate: this.#rate,
      secondsLeft: known ? (this.#total - done) * perImage : null,
    });
  }
}
