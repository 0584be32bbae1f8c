/** A number per image of each list, the same within a group, whichever lists it is in. */
export function numberGroups(...lists: readonly (readonly { group: string }[])[]): number[][] {
  const names = new Set(lists.flat().map(({ group }) => group));
  const numbers = new Map([...names].map((name, at) => [name, at]));
  return lists.map((images) => images.map(({ group }) => numbers.get(group)!));
}

/** The same of one list; null where every image is a group of its own. */
export function groupNumbers(images: readonly { group: string }[]): number[] | null {
  const [numbers = []] = numberGroups(images);
  return new Set(numbers).size === images.length ? null : numbers;
}
