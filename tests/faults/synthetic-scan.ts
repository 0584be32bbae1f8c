import { hash } from 'node:crypto';
import type { Scan, ScannedImage } from '../../host/datasets/scan.ts';

/** A scan as `scanSource` makes it, of files that need not be there: for tests of what is stored. */
export function syntheticScan(options: {
  root: string;
  images: number;
  classes?: number;
  domains?: number;
}): Scan {
  const { root, images, classes = 10, domains = 4 } = options;
  const classNames = names('class', classes);
  const domainNames = names('domain', domains);
  const counts = domainNames.map(() => classNames.map(() => 0));
  const scanned = Array.from({ length: images }, (_, i): ScannedImage => {
    const label = i % classes;
    const domain = Math.floor(i / classes) % domains;
    counts[domain]![label]!++;
    const path = `${domainNames[domain]}/${classNames[label]}/Bild-${String(i).padStart(7, '0')}.png`;
    const size = 1000 + i;
    const modifiedMs = 1.7e12 + i;
    return {
      path,
      file: { path, file: path, entry: null, bytes: size, fileBytes: size, modifiedMs },
      frame: null,
      findings: null,
      split: null,
      attributes: { camera: `camera ${i % 7}` },
      domain: domainNames[domain]!,
      label: classNames[label]!,
      group: `group-${i % 997}`,
      width: 64,
      height: 48,
      pages: 1,
      phash: BigInt(i) << 40n,
      mean: 0.5,
      deviation: 0.25,
      sha256: hash('sha256', `${root} ${i}`),
      format: 'png',
      licence: 'CC0-1.0',
      attribution: null,
      source: null,
    };
  });
  return {
    id: hash('sha256', root).slice(0, 12),
    root,
    contentHash: hash('sha256', `content of ${root} ${images}`),
    images: scanned,
    report: {
      root,
      reading: { format: 'folders', levels: ['domain', 'class'] },
      task: 'single-label',
      splits: {},
      attributeNames: ['camera'],
      images,
      bytes: scanned.reduce((sum, image) => sum + image.file.bytes, 0),
      classNames,
      domainNames,
      counts,
      groupedBy: 'group column of metadata.csv',
      groups: 997,
      skipped: [],
      duplicates: [],
      conflicts: [],
      warnings: [],
      licences: [{ licence: 'CC0-1.0', images }],
    },
  };
}

function names(kind: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${kind}-${String(i).padStart(3, '0')}`);
}
