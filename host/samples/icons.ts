import { basename } from 'node:path';
import type { Naming, NamingRules } from './naming.ts';
import { compileNaming, largestOfEachSize, spreadOverFamilies } from './naming.ts';
import type { Picture, Raster } from './picture.ts';
import { encodePng, iconSvg, mapInLanes, rasterise } from './picture.ts';
import { readTarball } from './packages.ts';
import type { Site } from './site.ts';
import type { Measures, Style } from './style.ts';
import { dropNearDoubles, isBlank, measure, signature, styleOf } from './style.ts';

/** The recipe of a set drawn from the icon sets of @iconify/json. */
export interface IconRecipe extends NamingRules {
  /** Exactly one: the package with the icon sets. */
  packages: readonly string[];
  /** Side of the pictures in pixels. */
  size: number;
  /** Most pictures per class in each domain. */
  limits: Readonly<Record<IconDomain, number>>;
  skipSets: readonly string[];
  /** Sets that are of one drawing style as a whole, by its domain; the others are measured. */
  setDomains: Readonly<Record<SetDomain, readonly string[]>>;
  /** Categories, tags and parts of SPDX identifiers in the sets' own descriptions. */
  skipCategories: readonly string[];
  skipTags: readonly string[];
  skipLicences: readonly string[];
}

const SET_DOMAINS = ['pixel', 'freehand'] as const;
type SetDomain = (typeof SET_DOMAINS)[number];
type IconDomain = Style | 'emoji' | SetDomain;

/** The parts of the IconifyJSON format that are read here. */
export interface IconSetFile {
  prefix: string;
  info: {
    name: string;
    author: { name: string };
    license: { title: string; spdx?: string };
    category?: string;
    tags?: string[];
    palette: boolean;
  };
  icons: Record<string, IconEntry>;
  width?: number;
  height?: number;
  left?: number;
  top?: number;
}

interface IconEntry {
  body: string;
  width?: number;
  height?: number;
  left?: number;
  top?: number;
  hidden?: boolean;
}

/** An icon whose name says that it shows a concept. */
export interface Candidate {
  set: string;
  icon: string;
  concept: string;
  family: string;
  /** What splits keep together: the family; in a domain of one family the drawing. */
  group: string;
  svg: string;
  licence: string;
  attribution: string;
  /** From a set that draws in colours. */
  palette: boolean;
  /** From a set of emoji. */
  emoji: boolean;
  /** From a set that is of one style as a whole. */
  setDomain: SetDomain | null;
}

interface Drawn extends Candidate {
  raster: Raster;
  signature: Float32Array;
}

/** Draws the pictures of an icon recipe and hands them to the site, class by class. */
export async function drawIcons(recipe: IconRecipe, site: Site): Promise<void> {
  const naming = compileNaming(recipe);
  const candidates: Candidate[] = [];
  for (const spec of recipe.packages) {
    const tarball = await site.fetch(spec);
    await readTarball(tarball, {
      wanted: (path) => /^json\/[^/]+\.json$/.test(path) && !isSkipped(recipe, path),
      take: (_path, content) => {
        const set = JSON.parse(content.toString('utf8')) as IconSetFile;
        candidates.push(...candidatesOf(set, recipe, naming));
      },
      onFile: (seen) => site.progress({ phase: `reading ${spec}`, done: seen, unit: 'files' }),
      signal: site.signal,
    });
  }
  candidates.sort((a, b) => compare(a.set, b.set) || compare(a.icon, b.icon));
  let done = 0;
  const tick = () =>
    site.progress({ phase: 'drawing', done: ++done, total: candidates.length, unit: 'icons' });
  for (const concept of recipe.concepts) {
    const own = candidates.filter((candidate) => candidate.concept === concept.name);
    await drawConcept(own, { recipe, site, tick });
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function isSkipped(recipe: IconRecipe, path: string): boolean {
  return recipe.skipSets.includes(basename(path, '.json'));
}

/** The icons of a set that show one of the recipe's concepts; none if the recipe skips the set. */
export function candidatesOf(set: IconSetFile, recipe: IconRecipe, naming: Naming): Candidate[] {
  const { info, prefix } = set;
  const licence = info.license.spdx ?? info.license.title;
  const unwanted =
    recipe.skipCategories.includes(info.category ?? '') ||
    (info.tags ?? []).some((tag) => recipe.skipTags.includes(tag)) ||
    recipe.skipLicences.some((part) => licence.includes(part));
  if (unwanted) return [];
  const shown = Object.keys(set.icons).filter((icon) => !set.icons[icon]?.hidden);
  const named = shown.filter((icon) => naming.conceptOf(prefix, icon) !== null);
  const setDomain = SET_DOMAINS.find((each) => recipe.setDomains[each].includes(prefix)) ?? null;
  const family = naming.familyOf(prefix);
  const sets = setDomain === null ? [] : recipe.setDomains[setDomain];
  const alone = setDomain !== null && sets.every((each) => naming.familyOf(each) === family);
  return largestOfEachSize(named).map((icon) => ({
    set: prefix,
    icon,
    concept: naming.conceptOf(prefix, icon) ?? '',
    family,
    group: alone ? `${family} ${icon}` : family,
    svg: svgOf(set, icon, recipe.size),
    licence,
    attribution: `${info.name} by ${info.author.name}`,
    palette: info.palette,
    emoji: info.category === 'Emoji',
    setDomain,
  }));
}

/** An icon of an IconifyJSON set as an SVG file. */
export function svgOf(
  set: Pick<IconSetFile, 'icons' | 'left' | 'top' | 'width' | 'height'>,
  icon: string,
  size: number,
): string {
  const entry = set.icons[icon] ?? { body: '' };
  // 16 is the format's own default.
  const box = {
    left: entry.left ?? set.left ?? 0,
    top: entry.top ?? set.top ?? 0,
    width: entry.width ?? set.width ?? 16,
    height: entry.height ?? set.height ?? 16,
  };
  return iconSvg({ body: entry.body, ...box }, size);
}

async function drawConcept(
  candidates: readonly Candidate[],
  { recipe, site, tick }: { recipe: IconRecipe; site: Site; tick: () => void },
): Promise<void> {
  const byDomain: Record<IconDomain, Drawn[]> = {
    line: [],
    solid: [],
    duotone: [],
    emoji: [],
    color: [],
    pixel: [],
    freehand: [],
  };
  const drawn = await mapInLanes(candidates, site, async (candidate) => {
    const raster = await rasterise(candidate.svg, recipe.size);
    tick();
    const domain = domainOf(candidate, measure(raster));
    return { domain, item: { ...candidate, raster, signature: signature(raster) } };
  });
  for (const { domain, item } of drawn) if (domain) byDomain[domain].push(item);
  for (const domain of Object.keys(byDomain) as IconDomain[]) {
    const distinct = dropNearDoubles(byDomain[domain]);
    const chosen = spreadOverFamilies(distinct, recipe.limits[domain]);
    await mapInLanes(chosen, site, async (item) =>
      site.take(await picture(item, domain, recipe.packages[0] ?? '')),
    );
  }
}

/** Null for a picture that belongs to no domain. */
function domainOf(candidate: Candidate, measures: Measures): IconDomain | null {
  const { palette, emoji, setDomain } = candidate;
  if (setDomain !== null) return isBlank(measures) ? null : setDomain;
  if (palette && emoji) return isBlank(measures) ? null : 'emoji';
  const style = styleOf(measures);
  // What is hardly coloured in a set of coloured drawings is no line, solid or duotone drawing.
  return palette && style !== 'color' ? null : style;
}

async function picture(item: Drawn, domain: IconDomain, spec: string): Promise<Picture> {
  return {
    domain,
    label: item.concept,
    name: `${item.set}_${item.icon}`,
    png: await encodePng(item.raster),
    group: item.group,
    licence: item.licence,
    attribution: item.attribution,
    source: `${spec} ${item.set}:${item.icon}`,
  };
}
