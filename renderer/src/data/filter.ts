import type { ImageFilter } from '../../../contract/datasets.ts';

const SPLITS = ['train', 'validation', 'test', 'unused'] as const;
type Split = (typeof SPLITS)[number];

const isSplit = (text: string): text is Split => (SPLITS as readonly string[]).includes(text);

/** The filter that an address describes: `domain` and `label` repeat, `q`, `study` with `split`. */
export function filterFrom(query: URLSearchParams): ImageFilter {
  const domains = query.getAll('domain');
  const labels = query.getAll('label');
  const text = query.get('q') ?? '';
  const study = query.get('study') ?? '';
  const split = query.get('split') ?? '';
  return {
    ...(domains.length > 0 && { domains }),
    ...(labels.length > 0 && { labels }),
    ...(text !== '' && { text }),
    ...(study !== '' && { studyId: study }),
    ...(study !== '' && isSplit(split) && { split }),
  };
}
