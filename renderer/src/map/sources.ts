import type { FeatureSource } from '../../../contract/analyses.ts';
import type { CheckpointSummary } from '../../../contract/checkpoints.ts';
import type { RunSummary } from '../../../contract/runs.ts';
import { groupRuns, runTitle } from '../compare/runs.ts';

/** A source of features as an option's value: `run:<id>`, `checkpoint:<id>`, `pixels`. */
export function sourceText(source: FeatureSource): string {
  if ('run' in source) return `run:${source.run}`;
  return 'checkpoint' in source ? `checkpoint:${source.checkpoint}` : 'pixels';
}

/** Reads `sourceText`; what is none of them is pixels. */
export function parseSource(text: string): FeatureSource {
  const at = text.indexOf(':');
  const [kind, id] = [text.slice(0, at), text.slice(at + 1)];
  if (kind === 'run') return { run: id };
  return kind === 'checkpoint' ? { checkpoint: id } : { pixels: true };
}

export interface SourceGroup {
  title: string;
  options: { value: string; title: string }[];
}

/** All sources there are: finished runs on this data set by their study, other runs, checkpoints, pixels. */
export function sourceGroups(
  datasetId: string,
  runs: readonly RunSummary[],
  checkpoints: readonly CheckpointSummary[],
): SourceGroup[] {
  const own = runs.filter((run) => run.datasetId === datasetId);
  const others = runs.filter((run) => run.datasetId !== datasetId);
  const groups = [...groupRuns(own), ...groupRuns(others)].map((group) => ({
    title: group.title,
    options: group.runs.map((run) => ({ value: `run:${run.id}`, title: runTitle(run) })),
  }));
  const imported = checkpoints.map(({ id, name }) => ({ value: `checkpoint:${id}`, title: name }));
  return [
    ...groups,
    ...(imported.length > 0 ? [{ title: 'Checkpoints', options: imported }] : []),
    { title: 'Without a network', options: [{ value: 'pixels', title: 'plain pixels' }] },
  ];
}
