/** The pretrainings of a study. */
import type { Database } from 'better-sqlite3';
import type { StudySpec } from '../../contract/study.ts';
import { findingsSchema } from '../../contract/findings.ts';
import { stream } from '../../engine/random/streams.ts';
import { listNames } from '../datasets/read.ts';
import { numbered } from './assign.ts';
import { countByClass, imagesOf, type StudyDataset, type StudyImage } from './data.ts';
import { ENGINE_FORMAT } from './identity.ts';
import { problem, type Problem } from './issues.ts';
import { chooseFindings, keepClasses, labelled, withoutSmallClasses } from './labelling.ts';
import type { ChosenFindings, Labelled } from './labelling.ts';
import { withoutTested, type Tested } from './leaks.ts';
import { pretrainingTraining } from './overrides.ts';
import type { PlannedRun, RunSpec } from './plan.ts';
import { digest, plannedRun, policiesOf } from './planned-run.ts';
import { resolveDomains, resolveSet } from './resolve.ts';
import { splitItems } from './split.ts';

/** A pretraining by its name in the study. */
export interface Source {
  name: string;
  run: PlannedRun;
  warnings: string[];
}

/** Where pretrainings are looked up, and what they must not see. */
export interface SourcePlace {
  db: Database;
  spec: StudySpec;
  tested: Tested;
}

/** What of the source is learnt, and what is tested of it. */
interface SourceSides extends Pick<Labelled, 'classNames' | 'findings'> {
  train: StudyImage[];
  test: StudyImage[] | null;
}

const RANDOM_LABELS =
  'trained on random labels: the labels of its images are dealt out anew among them';

const ROTATION =
  'trained without labels: to tell by how many quarter turns an image was turned; accuracies are of that';

const TURNS = ['0 degrees', '90 degrees', '180 degrees', '270 degrees'];

/** Lays a pretraining out over its data; null where it does not fit, which is a problem then. */
export function planPretraining(
  place: SourcePlace,
  name: string,
  problems: Problem[],
): Source | null {
  const { db, spec } = place;
  const own = spec.pretraining[name]!;
  const path = ['pretraining', name, 'data'];
  const dataset = resolveSet(db, own.data.set, [...path, 'set'], problems);
  if (!dataset) return null;
  const domains = resolveDomains(dataset, own.data.domains, [...path, 'domains'], problems);
  if (domains.length < (own.data.domains?.length ?? 0)) return null;
  const warnings: string[] = [];
  const images = imagesOf(db, dataset, domains);
  const sides = sourceSides(place, name, { dataset, images }, warnings);
  const lack = lacking(sides, own.data.test, path);
  if (lack !== null) {
    problems.push(lack);
    return null;
  }
  const { train, test } = sides;
  const rest = { dataset, train, validation: null, test, checkpoint: null };
  const { arm, notes } = unusual(own);
  const run = plannedRun(pretrainingSpec(spec, name, domains, sides), { arm, ...rest }, notes);
  return { name, run, warnings };
}

/** How a pretraining is called where it is not on given labels, and what to know of it. */
function unusual({ labels, task }: StudySpec['pretraining'][string]) {
  if (task === 'rotation') return { arm: 'P rotation', notes: [ROTATION] };
  if (labels === 'random') return { arm: 'P random labels', notes: [RANDOM_LABELS] };
  return { arm: 'P', notes: [] };
}

function lacking(
  { classNames, findings, test }: SourceSides,
  share: number | undefined,
  path: readonly string[],
): Problem | null {
  const left = classNames.length;
  if (left < (findings ? 1 : 2)) {
    const what = findings ? 'findings are left; one is' : 'classes are left; two or more are';
    return problem(path, `${left} ${what} needed`);
  }
  if (test?.length !== 0) return null;
  const message = `no images are left to test: the groups are too large for a share of ${share}`;
  return problem([...path, 'test'], message);
}

function sourceSides(
  { db, spec, tested }: SourcePlace,
  name: string,
  { dataset, images }: { dataset: StudyDataset; images: StudyImage[] },
  warnings: string[],
): SourceSides {
  const { data, seed, labels, task } = spec.pretraining[name]!;
  const held = data['hold-out-test-groups'];
  const untested = held ? withoutTested(images, dataset.id, tested, name, warnings) : images;
  if (task === 'rotation') return rotationSides(untested, data.test, seed);
  const findings = pretrainedFindings(db, spec, dataset);
  const found = labelled(untested, findings);
  const enough = withoutSmallClasses(found, data['min-per-class'], `"${name}"`, warnings);
  const sides =
    data.test === undefined
      ? { ...enough, train: enough.images, test: null }
      : testSide(enough, data.test, seed, `"${name}"`, warnings);
  if (labels === 'given') return sides;
  return { ...sides, train: randomLabels(sides.train, seed) };
}

/**
 * Images that are told apart by how they are turned (Gidaris, Singh and Komodakis 2018, arXiv
 * 1803.07728). In evaluation each is turned by its label, in training by a turn drawn anew: their
 * own labels do not count, not even in their order.
 */
function rotationSides(
  images: readonly StudyImage[],
  share: number | undefined,
  seed: number,
): SourceSides {
  const sorted = images
    .map((image) => ({ ...image, labels: [] as string[] }))
    .toSorted((a, b) => (a.sha256 < b.sha256 ? -1 : Number(a.sha256 > b.sha256)));
  const turned = (all: readonly StudyImage[]) =>
    all.map((image, at) => ({ ...image, labels: [TURNS[at % TURNS.length]!] }));
  const names = { classNames: TURNS, findings: null };
  if (share === undefined) return { ...names, train: turned(sorted), test: null };
  const parts = splitItems(numbered(sorted), {
    train: 1 - share,
    test: share,
    grouped: true,
    seed,
  });
  const of = (side: string) => turned(sorted.filter((_, at) => parts[at] === side));
  return { ...names, train: of('train'), test: of('test') };
}

/** Takes whole groups out of the images, every class as evenly as that allows. */
function testSide(
  all: Labelled,
  share: number,
  seed: number,
  where: string,
  warnings: string[],
): SourceSides {
  const options = { train: 1 - share, test: share, grouped: true, seed };
  const parts = splitItems(numbered(all.images), options);
  const sides = new Map(all.images.map(({ id }, at) => [id, parts[at]!]));
  const learnt = countByClass(all.images.filter(({ id }) => sides.get(id) === 'train'));
  const unlearnt = all.classNames.filter((each) => !learnt.has(each));
  if (unlearnt.length > 0) {
    warnings.push(
      `left out of ${where}, no training image after its split: ${unlearnt.join(', ')}`,
    );
  }
  const names = all.classNames.filter((each) => learnt.has(each));
  const { images, classNames, findings } = unlearnt.length === 0 ? all : keepClasses(all, names);
  const of = (side: string) => images.filter(({ id }) => sides.get(id) === side);
  return { classNames, findings, train: of('train'), test: of('test') };
}

/** Each image with the label, or the findings, of another: every label as often as before. */
function randomLabels(images: readonly StudyImage[], seed: number): StudyImage[] {
  const order = stream(seed, 'random-labels').permutation(images.length);
  return images.map((image, at) => {
    const { labels, targets } = images[order[at]!]!;
    return { ...image, labels, ...(targets && { targets }) };
  });
}

/** Of the study's own data set as the study says; of another all, uncertain ones left out. */
function pretrainedFindings(
  db: Database,
  spec: StudySpec,
  dataset: StudyDataset,
): ChosenFindings | null {
  if (dataset.task === 'single-label') return null;
  const own = spec.data.set === dataset.name || spec.data.set === dataset.id;
  const written = (own ? spec.data.findings : undefined) ?? findingsSchema.parse({});
  const known = listNames(db, 'classes', dataset.id);
  return chooseFindings(written, known, ['data', 'findings']).findings;
}

function pretrainingSpec(
  spec: StudySpec,
  name: string,
  domains: string[],
  { train, test, classNames, findings }: SourceSides,
): RunSpec {
  const own = spec.pretraining[name]!;
  const digests = {
    train: digest(train, classNames),
    validation: null,
    test: test && digest(test, classNames),
  };
  return {
    format: ENGINE_FORMAT,
    kind: 'pretraining',
    ...(own.task === 'rotation' && { task: own.task }),
    architecture: spec.architecture,
    classNames,
    ...policiesOf(findings),
    recipe: own.recipe ?? spec.recipe,
    training: pretrainingTraining(spec, name),
    seed: own.seed,
    shuffle: 'none',
    start: 'random',
    data: { domains, ...digests },
  };
}
