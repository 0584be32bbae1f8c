import type { IconSetFile } from './icons.ts';
import { svgOf } from './icons.ts';
import { readTarball } from './packages.ts';
import { encodePng, mapInLanes, rasterise } from './picture.ts';
import type { Site } from './site.ts';

/** The recipe of a set whose domains draw the same emoji. */
export interface EmojiRecipe {
  packages: readonly string[];
  /** Side of the pictures in pixels. */
  size: number;
  /** Where the list of emoji is (in openmoji's format). */
  index: { package: string; path: string };
  /** Domains with one file per emoji, named by its code points. */
  files: readonly FileDomain[];
  /** Domains that are an icon set of @iconify-json. */
  iconSets: readonly { domain: string; package: string }[];
  /** Class name to Unicode subgroups. */
  classes: Readonly<Record<string, readonly string[]>>;
}

interface FileDomain {
  domain: string;
  package: string;
  folder: string;
  extension: string;
  licence: string;
  attribution: string;
}

interface OpenmojiEntry {
  hexcode: string;
  group: string;
  subgroups: string;
  annotation: string;
  skintone: string;
}

/** An emoji of the recipe's classes. */
export interface Emoji {
  /** See `codePoints`. */
  code: string;
  label: string;
  /** Unicode's name as words joined by `-`. */
  slug: string;
}

/** A drawing of an emoji in one domain. */
interface Drawing {
  domain: string;
  emoji: Emoji;
  /** SVG text or the bytes of an image file. */
  file: string | Uint8Array;
  licence: string;
  attribution: string;
  source: string;
}

/** Draws the pictures of an emoji recipe and hands them to the site, domain by domain. */
export async function drawEmoji(recipe: EmojiRecipe, site: Site): Promise<void> {
  const tarballs = new Map<string, string>();
  for (const spec of recipe.packages) tarballs.set(spec, await site.fetch(spec));
  const reader = new PackageReader(tarballs, site);
  const { index } = recipe;
  const list = await reader.read(index.package, (path) => path === index.path);
  const emoji = emojiOf(parseJson<OpenmojiEntry[]>(list.get(index.path)), recipe.classes);
  const drawings: Drawing[] = [];
  for (const domain of recipe.files) drawings.push(...(await fromFiles(domain, emoji, reader)));
  for (const { domain, package: spec } of recipe.iconSets) {
    const { set, names } = await readIconSet(spec, reader);
    drawings.push(...fromIconSet({ domain, spec, set, names, size: recipe.size }, emoji));
  }
  await draw(drawings, recipe.size, site);
}

async function draw(drawings: readonly Drawing[], size: number, site: Site): Promise<void> {
  let done = 0;
  await mapInLanes(drawings, site, async ({ emoji, file, ...rest }) => {
    const png = await encodePng(await rasterise(file, size));
    await site.take({ ...rest, label: emoji.label, name: emoji.code, group: emoji.code, png });
    site.progress({ phase: 'drawing', done: ++done, total: drawings.length, unit: 'emoji' });
  });
}

class PackageReader {
  readonly #tarballs: ReadonlyMap<string, string>;
  readonly #site: Site;

  constructor(tarballs: ReadonlyMap<string, string>, site: Site) {
    this.#tarballs = tarballs;
    this.#site = site;
  }

  /** The wanted files of a package by their path in it. */
  async read(spec: string, wanted: (path: string) => boolean): Promise<Map<string, Buffer>> {
    const files = new Map<string, Buffer>();
    await readTarball(this.#tarballs.get(spec) ?? '', {
      wanted,
      take: (path, content) => files.set(path, content),
      onFile: (seen) =>
        this.#site.progress({ phase: `reading ${spec}`, done: seen, unit: 'files' }),
      signal: this.#site.signal,
    });
    return files;
  }
}

function parseJson<T>(content: Buffer | undefined): T {
  return JSON.parse(content?.toString('utf8') ?? 'null') as T;
}

/** Lower-case hexadecimal code points joined by `-`, without the emoji presentation selector FE0F. */
export function codePoints(text: string): string {
  return text
    .toLowerCase()
    .split('-')
    .filter((point) => point !== 'fe0f')
    .join('-');
}

/** The emoji of the classes' subgroups, each once and without skin-tone variants, by code. */
export function emojiOf(
  entries: readonly OpenmojiEntry[],
  classes: EmojiRecipe['classes'],
): Emoji[] {
  const labels = new Map(
    Object.entries(classes).flatMap(([label, subgroups]) => subgroups.map((s) => [s, label])),
  );
  const found = new Map<string, Emoji>();
  for (const { hexcode, group, subgroups, annotation, skintone } of entries) {
    const label = labels.get(subgroups);
    if (!label || skintone !== '' || group.startsWith('extras')) continue;
    const code = codePoints(hexcode);
    found.set(code, { code, label, slug: slugOf(annotation) });
  }
  return [...found.values()].sort((a, b) => (a.code < b.code ? -1 : 1));
}

function slugOf(name: string): string {
  return name
    .toLowerCase()
    .normalize('NFD')
    .replace(/[’'\p{M}]/gu, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}

async function fromFiles(
  domain: FileDomain,
  emoji: readonly Emoji[],
  reader: PackageReader,
): Promise<Drawing[]> {
  const { folder, extension, package: spec } = domain;
  const wantedCodes = new Set(emoji.map(({ code }) => code));
  const codeOf = (path: string) =>
    path.startsWith(`${folder}/`) && path.endsWith(extension)
      ? codePoints(path.slice(folder.length + 1, -extension.length))
      : '';
  const files = await reader.read(spec, (path) => wantedCodes.has(codeOf(path)));
  const byCode = new Map([...files].map(([path, file]) => [codeOf(path), { path, file }]));
  return emoji.flatMap((one) => {
    const found = byCode.get(one.code);
    if (!found) return [];
    const { licence, attribution } = domain;
    const source = `${spec} ${found.path}`;
    return { domain: domain.domain, emoji: one, file: found.file, licence, attribution, source };
  });
}

interface IconSet {
  set: IconSetFile & { aliases?: Record<string, { parent: string }> };
  /** Code points to icon name; empty where the package gives none. */
  names: Map<string, string>;
}

async function readIconSet(spec: string, reader: PackageReader): Promise<IconSet> {
  const paths = ['icons.json', 'info.json', 'chars.json'];
  const files = await reader.read(spec, (path) => paths.includes(path));
  const set = parseJson<IconSet['set']>(files.get('icons.json'));
  const info = parseJson<IconSetFile['info']>(files.get('info.json'));
  const chars = parseJson<Record<string, string> | null>(files.get('chars.json')) ?? {};
  const names = Object.entries(chars).map(([code, name]) => [codePoints(code), name] as const);
  return { set: { ...set, info }, names: new Map(names) };
}

function fromIconSet(
  { domain, spec, set, names, size }: IconSet & { domain: string; spec: string; size: number },
  emoji: readonly Emoji[],
): Drawing[] {
  const { info } = set;
  const licence = info.license.spdx ?? info.license.title;
  const attribution = `${info.name} by ${info.author.name}`;
  return emoji.flatMap((one) => {
    const name = names.size > 0 ? names.get(one.code) : one.slug;
    if (name === undefined) return [];
    const icon = set.aliases?.[name]?.parent ?? name;
    if (!set.icons[icon]) return [];
    const source = `${spec} ${set.prefix}:${icon}`;
    return { domain, emoji: one, file: svgOf(set, icon, size), licence, attribution, source };
  });
}
