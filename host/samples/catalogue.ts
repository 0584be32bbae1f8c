import { CarryoverError } from '../../contract/errors.ts';
import emojiDomains from '../../resources/samples/emoji-domains.json' with { type: 'json' };
import iconDomains from '../../resources/samples/icon-domains.json' with { type: 'json' };
import type { EmojiRecipe } from './emoji.ts';
import { drawEmoji } from './emoji.ts';
import type { IconRecipe } from './icons.ts';
import { drawIcons } from './icons.ts';
import type { Site } from './site.ts';

/** A set of real labelled images that can be built from npm packages. */
export interface Sample {
  name: string;
  title: string;
  description: string;
  licences: string;
  downloadMegabytes: number;
  /** name@version of the npm packages it is drawn from. */
  packages: readonly string[];
  /** The data that decides, together with the code, how every picture looks. */
  recipe: unknown;
  draw: (site: Site) => Promise<void>;
}

const icons: IconRecipe & typeof iconDomains = iconDomains;
const emoji: EmojiRecipe & typeof emojiDomains = emojiDomains;

export const SAMPLES: readonly Sample[] = [
  { ...described(icons), draw: (site) => drawIcons(icons, site) },
  { ...described(emoji), draw: (site) => drawEmoji(emoji, site) },
];

function described(
  recipe: Pick<
    Sample,
    'name' | 'title' | 'description' | 'licences' | 'downloadMegabytes' | 'packages'
  >,
): Omit<Sample, 'draw'> {
  const { name, title, description, licences, downloadMegabytes, packages } = recipe;
  return { name, title, description, licences, downloadMegabytes, packages, recipe };
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
