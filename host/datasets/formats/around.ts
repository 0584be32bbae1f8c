/** A single table, given by itself, speaks of files that lie beside it. */
import { extname } from 'node:path';
import type { Tree, TreeFile, TreeOptions } from '../tree.ts';
import { openTree } from '../tree.ts';
import { looksLikeTable } from './tables.ts';

/** The table or JSON file that was given instead of a folder; null for all else. */
export function givenTable(tree: Tree): TreeFile | null {
  const { single } = tree;
  const isOne = single !== null && (looksLikeTable(single) || extname(single) === '.json');
  return isOne ? tree.find(single) : null;
}

/** The tree itself; of a single table, the folder it lies in with `single` as it was. */
export async function aroundTable(tree: Tree, options: TreeOptions): Promise<Tree> {
  if (givenTable(tree) === null || tree.files.length > 1) return tree;
  return { ...(await openTree(tree.root, options)), single: tree.single };
}
