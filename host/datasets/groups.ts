import { byCodeUnits } from './order.ts';

export interface Grouped {
  /** The group of each image, in the order given. */
  groups: string[];
  /** How many groups of the metadata were joined to others because they share identical content. */
  joined: number;
}

/**
 * The group of each image: its own from the metadata, else its content hash. Groups that share
 * identical content become one (named by the first of them), or a split could put the same
 * picture on both sides.
 */
export function groupImages(images: { sha256: string; group: string | null }[]): Grouped {
  const parents = new Map<string, string>();
  const find = (name: string): string => {
    let top = name;
    for (let up = parents.get(top); up !== undefined; up = parents.get(top)) top = up;
    if (top !== name) parents.set(name, top);
    return top;
  };
  const groupOfContent = new Map<string, string>();
  const own = images.map((image) => image.group ?? image.sha256);
  for (const [index, { sha256 }] of images.entries()) {
    const mine = find(own[index] ?? sha256);
    const other = groupOfContent.get(sha256);
    groupOfContent.set(sha256, mine);
    if (other === undefined) continue;
    const [first, second] = [mine, find(other)].sort(byCodeUnits) as [string, string];
    if (first !== second) parents.set(second, first);
  }
  const groups = own.map(find);
  return { groups, joined: new Set(own).size - new Set(groups).size };
}
