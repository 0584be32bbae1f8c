import {
  bootstrap,
  timesOfImages,
  unitsOf,
  type Units,
} from '../../../../engine/analysis/bootstrap.ts';
import { rocAuc } from '../../../../engine/analysis/auc.ts';
import {
  ascending,
  calibration,
  inOrder,
  type CalibrationBin,
} from '../../../../engine/analysis/calibration.ts';
import { confusionMatrix, overallMetrics } from '../../../../engine/analysis/confusion.ts';
import { areaDifference, areaInterval, deLong } from '../../../../engine/analysis/delong.ts';
import type { Lab, Measure } from '../lab.ts';
import { readSaid, sigmoid, type Said, type Told } from '../read-said.ts';
import type { SaidRef } from '../said.ts';

export interface MetricsJob {
  runs: SaidRef[];
  /** Positions in `runs`: pretrained, then random, of one seed. */
  pairs: [number, number][];
  /** Group of each test image; null: each is its own. */
  groups: number[] | null;
  bins: number;
  replicates: number;
}

export interface Measured {
  classNames: string[];
  images: number;
  /** In the order of the job. */
  runs: RunMetrics[];
  pairs: AreaComparison[][];
}

/** A number with its interval over the test images. */
export type Value = { value: number | null; interval: [number, number] | null };

export interface RunMetrics {
  /** Single-label. */
  accuracy: Value | null;
  balancedAccuracy: Value | null;
  macroF1: Value | null;
  /** Mean of the areas; single-label: one class against the rest. */
  auc: Value;
  ece: Value;
  /** Without the bias's removal. */
  pluginEce: number | null;
  bins: CalibrationBin[];
  /** Single-label: images by [true, predicted]. */
  confusion: number[] | null;
  /** Area of each class or finding, DeLong's interval. */
  areas: Value[];
}

/** Areas of two runs for one class or finding; null where they are not defined. */
export type AreaComparison = ReturnType<typeof areaDifference> | null;

export const measure: Measure<MetricsJob, Measured> = async (job, lab) => {
  const runs: RunMetrics[] = [];
  for (const ref of job.runs) {
    lab.tell('metrics', runs.length, job.runs.length, 'runs');
    runs.push(await lab.memo(`run ${ref.run}`, () => Promise.resolve(ofRun(job, ref, lab))));
  }
  const said = (at: number) => readSaid(lab, job.runs[at]!, 'test');
  const pairs = job.pairs.map(([a, b]) => compared(said(a), said(b)));
  const { classNames, images } = said(0);
  return { classNames, images, runs, pairs };
};

function ofRun(job: MetricsJob, ref: SaidRef, lab: Lab): RunMetrics {
  const said = readSaid(lab, ref, 'test');
  const units = unitsOf(said.images, job.groups ?? undefined);
  return said.told ? ofClasses(said, said.told, units, job) : ofFindings(said, units, job);
}

function ofClasses(said: Said, told: Told, units: Units, job: MetricsJob): RunMetrics {
  const classes = said.classNames.length;
  const { truth, predicted, probabilities } = told;
  const confidence = Float32Array.from(predicted, (c, at) => probabilities[at * classes + c]!);
  const right = Uint8Array.from(predicted, (c, at) => (c === truth[at] ? 1 : 0));
  const order = ascending(confidence);
  const statistics = (times?: Int32Array) => {
    const matrix = confusionMatrix(truth, predicted, classes, times);
    const { accuracy, balancedAccuracy, macroF1 } = overallMetrics(matrix, classes);
    const ece = inOrder(order, confidence, right, job.bins, times)?.debiased ?? null;
    return [accuracy, balancedAccuracy, macroF1, ece];
  };
  const intervals = bootstrap(units.count, (times) => statistics(timesOfImages(units, times)), job);
  const [accuracy, balancedAccuracy, macroF1, ece] = statistics().map((value, at): Value => ({
    value,
    interval: intervals[at]!,
  }));
  const whole = calibration(confidence, right, job.bins);
  return {
    ...{ accuracy: accuracy!, balancedAccuracy: balancedAccuracy!, macroF1: macroF1! },
    ...{ ece: ece!, pluginEce: whole?.plugin ?? null, bins: whole?.bins ?? [] },
    confusion: [...confusionMatrix(truth, predicted, classes)],
    ...areasOf(said),
  };
}

function ofFindings(said: Said, units: Units, job: MetricsJob): RunMetrics {
  const { targets, mask } = said.findings!;
  const known = Int32Array.from(mask.keys()).filter((at) => mask[at] !== 0);
  const all = sigmoid(said.logits);
  const confidence = Float32Array.from(known, (at) => all[at]!);
  const right = Float32Array.from(known, (at) => targets[at]!);
  const order = ascending(confidence);
  const findings = said.classNames.length;
  const [interval] = bootstrap(
    units.count,
    (times) => {
      const images = timesOfImages(units, times);
      const drawn = Int32Array.from(known, (at) => images[Math.floor(at / findings)]!);
      return [inOrder(order, confidence, right, job.bins, drawn)?.debiased ?? null];
    },
    job,
  );
  const whole = calibration(confidence, right, job.bins);
  return {
    ...{ accuracy: null, balancedAccuracy: null, macroF1: null, confusion: null },
    ece: { value: whole?.debiased ?? null, interval: interval! },
    pluginEce: whole?.plugin ?? null,
    bins: whole?.bins ?? [],
    ...areasOf(said),
  };
}

/** Scores and truth of each class against the rest, or of each finding where it is known. */
function questions({ told, findings, logits, classNames, images }: Said) {
  const classes = classNames.length;
  return classNames.map((_, c) => {
    const rows = Int32Array.from({ length: images }, (_, at) => at).filter(
      (at) => findings === null || findings.mask[at * classes + c] !== 0,
    );
    const values = told ? told.probabilities : logits;
    const truth = (at: number) =>
      told ? (told.truth[at] === c ? 1 : 0) : findings!.targets[at * classes + c]!;
    return {
      scores: Float32Array.from(rows, (at) => values[at * classes + c]!),
      truth: Float32Array.from(rows, truth),
    };
  });
}

function areasOf(said: Said): Pick<RunMetrics, 'areas' | 'auc'> {
  const areas = questions(said).map(({ scores, truth }): Value => {
    const found = deLong([scores], truth);
    if (found === null) return { value: rocAuc(scores, truth), interval: null };
    return { value: found.areas[0]!, interval: areaInterval(found) };
  });
  const defined = areas.flatMap(({ value }) => value ?? []);
  const mean = defined.reduce((sum, value) => sum + value, 0) / defined.length;
  return { areas, auc: { value: defined.length === 0 ? null : mean, interval: null } };
}

function compared(first: Said, second: Said): AreaComparison[] {
  const others = questions(second);
  return questions(first).map(({ scores, truth }, c) => {
    const found = deLong([scores, others[c]!.scores], truth);
    return found && areaDifference(found);
  });
}
