/** What the images of a study are learnt as: one class each, or any number of findings. */
import type { Findings, Uncertainty } from '../../contract/findings.ts';
import { findingTarget } from '../../engine/train/uncertain.ts';
import { countByClass, type StudyImage } from './data.ts';
import { problem, unknownName, type Problem } from './issues.ts';

/** The findings of a multi-label data set that are learnt, and how. */
export interface ChosenFindings {
  /** In the order of the data set. */
  names: string[];
  /** By finding. */
  uncertain: Record<string, Uncertainty>;
  blank: Findings['blank'];
}

/** Images with the classes or findings among which they are told apart. */
export interface Labelled {
  images: StudyImage[];
  /** In order of name; findings in the order of the data set. */
  classNames: string[];
  /** null: single-label. */
  findings: ChosenFindings | null;
}

/** The findings that a study names, or all; unknown ones are problems. */
export function chooseFindings(
  written: Findings,
  known: readonly string[],
  path: readonly PropertyKey[],
): { findings: ChosenFindings; problems: Problem[] } {
  const wanted = written.names ?? known;
  const policies = typeof written.uncertain === 'string' ? {} : written.uncertain;
  const usual =
    typeof written.uncertain === 'string' ? written.uncertain : (policies['default'] ?? 'ignore');
  const problems = wanted.flatMap((name, index) => {
    const at = [...path, 'names', index];
    if (!known.includes(name)) return [unknownName(at, 'finding', name, known)];
    if (wanted.indexOf(name) < index) return [problem(at, `finding ${name} is here twice`)];
    return [];
  });
  const named = Object.keys(policies).filter((name) => name !== 'default');
  problems.push(
    ...named
      .filter((name) => !wanted.includes(name))
      .map((name) => unknownName([...path, 'uncertain', name], 'finding', name, wanted)),
  );
  const names = known.filter((name) => wanted.includes(name));
  const uncertain = Object.fromEntries(names.map((name) => [name, policies[name] ?? usual]));
  return { findings: { names, uncertain, blank: written.blank }, problems };
}

/** Gives images their classes, or the targets of the findings. */
export function labelled(images: StudyImage[], findings: ChosenFindings | null): Labelled {
  if (findings === null) {
    return { images, classNames: [...countByClass(images).keys()], findings };
  }
  const { names, uncertain, blank } = findings;
  const withTargets = images.map((image) => {
    const targets = names.map((name) =>
      findingTarget(image.findings.get(name) ?? null, uncertain[name] ?? 'ignore', blank),
    );
    return { ...image, targets, labels: names.filter((_, at) => targets[at] === 1) };
  });
  return { images: withTargets, classNames: names, findings };
}

/** Without the other classes: images of them are left out, findings are no longer asked for. */
export function keepClasses(all: Labelled, names: readonly string[]): Labelled {
  const kept = new Set(names);
  const { images, findings } = all;
  if (findings) {
    const left = findings.names.filter((name) => kept.has(name));
    return labelled(images, { ...findings, names: left });
  }
  return labelled(
    images.filter(({ labels }) => labels.every((label) => kept.has(label))),
    null,
  );
}

/** Classes with at least `least` images (findings: that have them); the others are named in a warning. */
export function withoutSmallClasses(
  all: Labelled,
  least: number,
  where: string,
  warnings: string[],
): Labelled {
  const counts = countByClass(all.images);
  const small = all.classNames.filter((name) => (counts.get(name) ?? 0) < least);
  if (small.length === 0) return all;
  const list = small.map((name) => `${name} (${counts.get(name) ?? 0})`).join(', ');
  const what = all.findings ? 'findings on' : 'classes with';
  warnings.push(
    `left out of ${where}: ${small.length} of ${all.classNames.length} ${what} fewer than ${least} images: ${list}`,
  );
  return keepClasses(
    all,
    all.classNames.filter((name) => !small.includes(name)),
  );
}
