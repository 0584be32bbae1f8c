/** Colours of classes on a map, by theme: told apart by people, and on either background. */
const LIGHT = [
  '#3557c4', '#a34c09', '#24755e', '#a1336a', '#7a3f9c', '#8f7a00', '#c2362f', '#1284a3',
  '#5b8c1a', '#d46a9f', '#6a5340', '#5b6ee1', '#c98b2b', '#2d9c6c', '#8c2f39', '#4a5a77',
] as const; // prettier-ignore
const DARK = [
  '#8ea9ff', '#f0a05c', '#6cc7aa', '#ee8fbb', '#cf9bea', '#d8cf5a', '#f27b72', '#5fc4e0',
  '#a9d465', '#f7b3d3', '#c4a68a', '#a5b0ff', '#f0c67a', '#7ee0b0', '#d98088', '#a9b8d4',
] as const; // prettier-ignore
const REST = { light: '#9a9a92', dark: '#66716f' };

/** The colour of each name: the most frequent ones have their own, the others share grey. */
export function coloursOf(counts: readonly number[], theme: 'light' | 'dark'): string[] {
  const palette = theme === 'dark' ? DARK : LIGHT;
  const order = [...counts.keys()].toSorted((a, b) => counts[b]! - counts[a]! || a - b);
  const colours = counts.map(() => REST[theme]);
  for (const [rank, name] of order.slice(0, palette.length).entries()) {
    colours[name] = palette[rank] ?? REST[theme];
  }
  return colours;
}

/** How many names have a colour of their own. */
export const OWN_COLOURS = LIGHT.length;
