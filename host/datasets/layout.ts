import type { ImportReport, SkippedFile } from '../../contract/datasets.ts';
import { counted } from './order.ts';

/** The domain of images in a `class/image` tree. */
export const ONLY_DOMAIN = 'all';

export type Placed<T> = T & { domain: string; label: string };

export interface Arrangement<T> {
  layout: ImportReport['layout'];
  images: Placed<T>[];
  skipped: SkippedFile[];
  warnings: string[];
}

/**
 * Reads domain and class from the folders. An image one folder deep speaks for `class/image`, a
 * deeper one for `domain/class/image` (first folder the domain, last the class); the majority of
 * the images decides for all. An image that has no class in that layout is skipped with the reason.
 */
export function arrange<T extends { path: string }>(images: T[]): Arrangement<T> {
  const loose = images.filter((image) => depth(image) === 0);
  const shallow = images.filter((image) => depth(image) === 1);
  const deep = images.filter((image) => depth(image) > 1);
  const skipped = loose.map(({ path }) => ({ path, reason: 'image in no class folder' }));
  if (shallow.length > deep.length) {
    const warnings = deep.length === 0 ? [] : [deepInClassLayout(deep.length)];
    const placed = images.filter((image) => depth(image) > 0).map(placeInClass);
    return { layout: 'class', images: placed, skipped, warnings };
  }
  for (const { path } of shallow) {
    const reason = `image directly in the domain folder "${parts(path)[0]}", in no class folder`;
    skipped.push({ path, reason });
  }
  const warnings = shallow.length === 0 ? [] : [shallowInDomainLayout(shallow.length)];
  return { layout: 'domain/class', images: deep.map(placeInDomain), skipped, warnings };
}

function parts(path: string): string[] {
  return path.split('/');
}

function depth(image: { path: string }): number {
  return parts(image.path).length - 1;
}

function placeInClass<T extends { path: string }>(image: T): Placed<T> {
  return { ...image, domain: ONLY_DOMAIN, label: parts(image.path).at(-2) ?? '' };
}

function placeInDomain<T extends { path: string }>(image: T): Placed<T> {
  const folders = parts(image.path);
  return { ...image, domain: folders[0] ?? '', label: folders.at(-2) ?? '' };
}

function deepInClassLayout(count: number): string {
  return (
    `mixed depth: most images lie in class/image, so ${counted(count, 'deeper image')} ` +
    'took the last folder as the class and the folders above it were not read as domains'
  );
}

function shallowInDomainLayout(count: number): string {
  return (
    `mixed depth: the folder was read as domain/class/image, and ${counted(count, 'image')} ` +
    'lying one folder deep had no class and were skipped'
  );
}
