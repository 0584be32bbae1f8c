import type { FeatureSource } from '../../../contract/analyses.ts';
import type { CheckpointSummary } from '../../../contract/checkpoints.ts';
import type { RunSummary } from '../../../contract/runs.ts';
import { shuffleTitle } from '../lib/format.ts';

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

/** A run in one line: "P-T · seed 1 · no shuffle · duotone". */
const runTitle = ({ arm, seed, shuffle, domains }: RunSummary): string =>
  [arm, `seed ${seed}`, shuffleTitle(shuffle), domains.join(', ')].join(' · ');

/** All sources there are: finished runs, those on this data set first, by study; checkpoints; pixels. */
export function sourceGroups(
  datasetId: string,
  runs: readonly RunSummary[],
  checkpoints: readonly CheckpointSummary[],
): SourceGroup[] {
  const done = runs.filter((run) => run.status === 'done');
  const ownFirst = done.toSorted(
    (a, b) => Number(b.datasetId === datasetId) - Number(a.datasetId === datasetId),
  );
  const byStudy = Map.groupBy(ownFirst, (run) => run.studies[0]?.name ?? 'Runs of no study');
  const groups = [...byStudy].map(([title, members]) => ({
    title,
    options: members.map((run) => ({ value: `run:${run.id}`, title: runTitle(run) })),
  }));
  const imported = checkpoints.map(({ id, name }) => ({ value: `checkpoint:${id}`, title: name }));
  return [
    ...groups,
    ...(imported.length > 0 ? [{ title: 'Checkpoints', options: imported }] : []),
    { title: 'Without a network', options: [{ value: 'pixels', title: 'plain pixels' }] },
  ];
}
