import {
  checkpointPath,
  criticalityGrid,
  directPath,
  modulesOf,
  sigmasOf,
  withModule,
  type Grid,
  type PathPoint,
} from '../../../../engine/analysis/criticality.ts';
import type { Weights } from '../../../../engine/models/registry.ts';
import type { NetworkRef } from '../definition.ts';
import type { ImagesRef, Lab, Measure } from '../lab.ts';

/** Of the noise. */
const SEED = 0;

export type PathKind = 'direct' | 'checkpoints';

export interface CriticalityJob {
  train: ImagesRef;
  test: ImagesRef;
  runs: {
    start: NetworkRef;
    result: NetworkRef;
    /** From the start to the result, both among them, for the path of checkpoints. */
    kept: NetworkRef[];
  }[];
  /** Empty: only the rewinding test. */
  paths: PathKind[];
  alphas: number;
  sigmas: number;
  samples: number;
}

/** Of the test images. */
export interface Rewound {
  module: string;
  accuracy: number;
  loss: number;
  auc: number | null;
}

export interface MeasuredRun {
  /** As it is: of the test images, and the error rate on the training images. */
  whole: Omit<Rewound, 'module'> & { trainError: number };
  rewound: Rewound[];
  grids: { module: string; path: PathKind; grid: Grid }[];
}

export interface CriticalityMeasured {
  images: { train: number; test: number };
  evaluations: number;
  runs: MeasuredRun[];
}

export const measure: Measure<CriticalityJob, CriticalityMeasured> = async (job, lab) => {
  const [first] = job.runs;
  const modules = modulesOf(lab.parameters(first!.result.run));
  const counter = new Counter(lab, evaluationsOf(job, modules.length));
  const runs: MeasuredRun[] = [];
  for (const run of job.runs) runs.push(await measureRun(job, lab, run, modules, counter));
  const images = { train: lab.rows(job.train).length, test: lab.rows(job.test).length };
  return { images, evaluations: counter.total, runs };
};

/** How often a network is evaluated in all. */
export function evaluationsOf(job: CriticalityJob, modules: number): number {
  const cells = job.sigmas * job.samples;
  return job.runs.reduce((sum, { kept }) => {
    const points = job.paths.map((path) => (path === 'direct' ? job.alphas : kept.length));
    const grid = points.reduce((all, count) => all + count * cells, 0);
    return sum + 2 + modules * (1 + grid);
  }, 0);
}

/** Tells how far it is, and from the first evaluations on how long it will take. */
class Counter {
  readonly total: number;
  readonly #lab: Lab;
  #done = 0;

  constructor(lab: Lab, total: number) {
    this.#lab = lab;
    this.total = total;
  }

  add(evaluations = 1): void {
    this.#lab.tell(`modules, ${this.total} evaluations`, this.#done, this.total, 'evaluations');
    this.#done += evaluations;
  }
}

async function measureRun(
  job: CriticalityJob,
  lab: Lab,
  run: CriticalityJob['runs'][number],
  modules: readonly string[],
  counter: Counter,
): Promise<MeasuredRun> {
  const id = run.result.run;
  const whole = await lab.memo(`whole ${id}`, async () => {
    counter.add(2);
    const end = await lab.weights(run.result);
    const { accuracy: train } = await lab.evaluate(end, job.train);
    return { ...scores(await lab.evaluate(end, job.test)), trainError: 1 - train };
  });
  const [rewound, grids]: [Rewound[], MeasuredRun['grids']] = [[], []];
  for (const module of modules) {
    rewound.push(await lab.memo(`rewound ${id} ${module}`, () => rewind(job, lab, run, module)));
    counter.add();
    for (const path of job.paths) {
      const points = path === 'direct' ? job.alphas : run.kept.length;
      const key = `${path} ${id} ${module}`;
      let fresh = false;
      const grid = await lab.memo(key, () => {
        fresh = true;
        return gridOf(job, lab, run, module, path, counter);
      });
      if (!fresh) counter.add(points * job.sigmas * job.samples);
      grids.push({ module, path, grid });
    }
  }
  return { whole, rewound, grids };
}

async function rewind(
  job: CriticalityJob,
  lab: Lab,
  { start, result }: CriticalityJob['runs'][number],
  module: string,
): Promise<Rewound> {
  const [from, end] = [await lab.weights(start), await lab.weights(result)];
  const weights = withModule(end, from, module, lab.parameters(result.run));
  return { module, ...scores(await lab.evaluate(weights, job.test)) };
}

function scores({ accuracy, loss, auc }: Omit<Rewound, 'module'>): Omit<Rewound, 'module'> {
  return { accuracy, loss, auc };
}

async function gridOf(
  job: CriticalityJob,
  lab: Lab,
  run: CriticalityJob['runs'][number],
  module: string,
  path: PathKind,
  counter: Counter,
): Promise<Grid> {
  const parameters = lab.parameters(run.result.run);
  const points = await pathOf(job, lab, run, module, path);
  const evaluate = async (weights: Weights): Promise<number> => {
    counter.add();
    return 1 - (await lab.evaluate(weights, job.train)).accuracy;
  };
  const sigmas = sigmasOf(job.sigmas);
  return criticalityGrid(points, evaluate, {
    ...{ module, parameters, sigmas, samples: job.samples, seed: SEED },
  });
}

async function pathOf(
  job: CriticalityJob,
  lab: Lab,
  { start, result, kept }: CriticalityJob['runs'][number],
  module: string,
  path: PathKind,
): Promise<PathPoint[]> {
  const parameters = lab.parameters(result.run);
  if (path === 'direct') {
    const [from, end] = [await lab.weights(start), await lab.weights(result)];
    return directPath(from, end, module, parameters, job.alphas);
  }
  const networks = [];
  for (const ref of kept) networks.push({ epoch: ref.epoch, weights: await lab.weights(ref) });
  return checkpointPath(networks, module, parameters);
}
