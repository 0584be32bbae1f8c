import { isWeightsName } from '../checkpoints/facts.ts';

/** Endings of files that hold images, arrays or tables, where weights have the same, too. */
const SOURCES = /(?<!\.pth)\.tar$|(?<!model|manifest)\.json$/i;

/** The page that a dropped file or folder is for, by its name. */
export const pageForDropped = (name: string): 'checkpoints' | 'data' =>
  isWeightsName(name) && !SOURCES.test(name) ? 'checkpoints' : 'data';
