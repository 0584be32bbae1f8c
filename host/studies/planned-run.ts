/** Runs as they are planned, of whatever kind. */
import type { StudyImage } from './data.ts';
import { runIdOf, sha256 } from './identity.ts';
import type { ChosenFindings } from './labelling.ts';
import { runNotes } from './plan-warnings.ts';
import type { ItemsDigest, PlannedRun, RunSpec } from './plan.ts';

export function plannedRun(
  spec: RunSpec,
  rest: Omit<PlannedRun, 'id' | 'spec' | 'notes' | 'keepEpochs'>,
  notes: string[] = [],
): PlannedRun {
  const all = [...runNotes(spec), ...notes];
  return { id: runIdOf(spec), spec, ...rest, keepEpochs: [], notes: all };
}

export function policiesOf(findings: ChosenFindings | null): Pick<RunSpec, 'findings'> {
  if (findings === null) return {};
  const { uncertain, blank } = findings;
  return { findings: { uncertain, blank } };
}

export function digest(images: readonly StudyImage[], classNames: readonly string[]): ItemsDigest {
  const indices = new Map(classNames.map((name, index) => [name, index]));
  const labelOf = ({ labels, targets }: StudyImage) =>
    targets ? targets.map((target) => target ?? '-').join() : indices.get(labels[0]!);
  const lines = images.map((image) => `${image.sha256} ${labelOf(image)}\n`);
  return { images: images.length, sha256: sha256(lines.join('')) };
}

/**
 * Tells runs which of their epochs others start from. The last one of a run that may be stopped early
 * is whatever it came to, which is kept anyway.
 */
export function keepStarts(runs: readonly PlannedRun[]): void {
  const byId = new Map(runs.map((run) => [run.id, run]));
  for (const { spec } of runs) {
    if (spec.start === 'random' || !('run' in spec.start)) continue;
    const { run: id, epoch } = spec.start;
    const parent = byId.get(id)!;
    const { epochs, 'early-stopping': stopping } = parent.spec.training;
    if (stopping && epoch === epochs) continue;
    parent.keepEpochs = [...new Set([...parent.keepEpochs, epoch])].sort((a, b) => a - b);
  }
}
