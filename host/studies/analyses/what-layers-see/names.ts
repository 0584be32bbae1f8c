/** What the two networks and their controls are called, and where their pictures lead. */
import { imageLink, pairLink } from '../links.ts';
import type { StudyRun, StudyView } from '../definition.ts';
import type { Side } from './measured.ts';

export interface Named {
  view: StudyView;
  runs: Record<Side, StudyRun>;
  /** The arms. */
  names: Record<Side, string>;
  colours: Record<Side, number>;
  /** Classes, or findings. */
  classNames: readonly string[];
  hasFindings: boolean;
}

export function namedOf(view: StudyView, runs: Record<Side, StudyRun>): Named {
  const arms = Object.keys(view.study.spec.arms);
  const { classNames, findings } = view.study.sides;
  return {
    ...{ view, runs, classNames, hasFindings: findings !== null },
    names: { a: runs.a.arm, b: runs.b.arm },
    colours: { a: arms.indexOf(runs.a.arm), b: arms.indexOf(runs.b.arm) },
  };
}

/** What an answer says: a class, or whether the finding is there. */
export function answerName({ classNames, hasFindings }: Named, said: number): string {
  if (hasFindings) return said === 1 ? 'present' : 'absent';
  return classNames[said] ?? String(said);
}

/** The compared pair, at the images that one side alone is right about. */
export function cellLink({ runs }: Named, right: Side): string {
  return pairLink(runs.a.id, runs.b.id, right === 'a' ? 'onlyARight' : 'onlyBRight');
}

export function imageAt({ view }: Named, split: 'train' | 'test', row: number) {
  const imageId = view.study.sides[split][row]!.id;
  return { imageId, link: imageLink(view.study.dataset.id, imageId) };
}
