/** Slices of volumes of heads, with what an atlas says is on each. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import type { FindingValue } from '../../contract/datasets.ts';
import { CarryoverError } from '../../contract/errors.ts';
import { readTarball } from './packages.ts';
import type { NiftiFile, Volume } from './nifti.ts';
import { readNifti } from './nifti.ts';
import { mapInLanes } from './picture.ts';
import type { Site } from './site.ts';

/** The recipe of a set of slices. */
export interface BrainRecipe {
  /** Side of the pictures in pixels. */
  size: number;
  /** Slabs of neighbouring slices that each volume is cut into in each direction. */
  slabs: number;
  /** Slices with a smaller share of tissue are left out. */
  leastTissue: number;
  /** By finding: a pattern for the names of its structures, sides left out, in small letters. */
  findings: Readonly<Record<string, string>>;
  volumes: readonly VolumeRecipe[];
}

interface VolumeRecipe {
  domain: string;
  /** Of Debian. */
  package: string;
  /** In the package: a .nii.gz, or the archive of an InVesalius project. */
  file: string;
  /** Volumes of one subject lie in the same room: slices at the same place stay together. */
  subject: string;
  /** In the package, in the same grid; null: nothing is known of the slices. */
  atlas: string | null;
  /** Least area of a structure that counts as present, in mm²; less is uncertain. */
  presentArea: number;
  licence: string;
  attribution: string;
}

/** The directions of cutting: the axis that is cut, and those that run right and down. */
export const VIEWS = {
  axial: { cut: 2, right: 0, down: 1 },
  coronal: { cut: 1, right: 0, down: 2 },
  sagittal: { cut: 0, right: 1, down: 2 },
} as const;
type View = keyof typeof VIEWS;

/** Share of values that are black and white in MR, of those that are no background. */
const MR_WHITE = 0.995;
/** Black and white in CT, Hounsfield units. */
const CT_WINDOW = [-60, 140] as const;
/** Tissue is at least so bright, of 255. */
const TISSUE_GREY = 26;

/** A volume in greys, with the finding of each of its places. */
interface Head {
  recipe: VolumeRecipe;
  volume: Volume;
  /** 0..255, as `volume.values`. */
  greys: Uint8Array;
  /** Number of the finding from 1, 0 for none, as `volume.values`; null: nothing is known. */
  structures: Uint8Array | null;
}

/** Cuts the volumes of a recipe and hands the slices to the site, volume by volume. */
export async function drawBrains(recipe: BrainRecipe, site: Site): Promise<void> {
  const folders = new Map<string, string>();
  for (const each of recipe.volumes) {
    const folder = folders.get(each.package) ?? (await site.fetch(each.package));
    folders.set(each.package, folder);
    const head = await openHead(each, folder, { findings: recipe.findings, signal: site.signal });
    for (const view of Object.keys(VIEWS) as View[]) await drawView(head, view, recipe, site);
  }
}

async function openHead(
  recipe: VolumeRecipe,
  folder: string,
  { findings, signal }: { findings: BrainRecipe['findings']; signal: AbortSignal },
): Promise<Head> {
  const path = join(folder, recipe.file);
  if (!path.endsWith('.nii.gz')) {
    const volume = await readProject(path, signal);
    return { recipe, volume, greys: spread(volume.values, CT_WINDOW), structures: null };
  }
  const { volume } = await readNifti(path);
  const greys = spread(volume.values, [0, brightest(volume.values)]);
  if (recipe.atlas === null) return { recipe, volume, greys, structures: null };
  const file = join(folder, recipe.atlas);
  const atlas = await readNifti(file);
  const structures = findingsIn(atlas, await structureNames(file, atlas), Object.values(findings));
  return { recipe, volume, greys, structures };
}

/** The value below which MR_WHITE of all that is no background lie. */
function brightest(values: Float32Array): number {
  const tissue = values.filter((value) => value > 0).sort();
  return tissue[Math.floor(MR_WHITE * (tissue.length - 1))] ?? 1;
}

function spread(values: Float32Array, [black, white]: readonly [number, number]): Uint8Array {
  const greys = Uint8ClampedArray.from(
    values,
    (value) => (255 * (value - black)) / (white - black),
  );
  return new Uint8Array(greys.buffer);
}

/** Names of an atlas's numbers, lines `number name`: in a text file beside it, else in itself. */
async function structureNames(path: string, { comment }: NiftiFile): Promise<Map<number, string>> {
  const beside = path.replace(/\.gz$/, '.txt');
  const text = await readFile(beside, 'utf8').catch(() => comment);
  const lines = text.matchAll(/^\W*(\d+)\s+(\S+)/gm);
  return new Map([...lines].map(([, number, name]) => [Number(number), plainName(name ?? '')]));
}

/** A structure's name without its side. */
function plainName(name: string): string {
  return name.toLowerCase().replace(/^[lr]_|_[lr]$/g, '');
}

function findingsIn(
  { volume }: NiftiFile,
  names: ReadonlyMap<number, string>,
  patterns: readonly string[],
): Uint8Array {
  const compiled = patterns.map((pattern) => new RegExp(pattern));
  const numbers = new Map(
    [...names].map(([number, name]) => [
      number,
      1 + compiled.findIndex((pattern) => pattern.test(name)),
    ]),
  );
  return Uint8Array.from(volume.values, (value) => numbers.get(value) ?? 0);
}

/** The volume of an InVesalius project: a tarball with the values and their form. */
async function readProject(path: string, signal: AbortSignal): Promise<Volume> {
  const parts = new Map<string, Buffer>();
  await readTarball(path, {
    wanted: (name) => name === 'main.plist' || name === 'matrix.dat',
    take: (name, content) => parts.set(name, content),
    signal,
  });
  const about = parts.get('main.plist')?.toString('utf8') ?? '';
  const [depth = 0, rows = 0, columns = 0] = numbersOf(about, 'shape');
  const [width = 1, height = 1, thickness = 1] = numbersOf(about, 'spacing');
  const bytes = parts.get('matrix.dat') ?? Buffer.alloc(0);
  const count = depth * rows * columns;
  if (count === 0 || bytes.length < 2 * count) {
    throw new CarryoverError('bad-input', `${path}: no InVesalius project with a volume`, {
      file: path,
    });
  }
  const values = Float32Array.from({ length: count }, (_, at) => bytes.readInt16LE(2 * at));
  return { size: [columns, rows, depth], spacing: [width, height, thickness], values };
}

/** The numbers of an array in a property list. */
function numbersOf(plist: string, key: string): number[] {
  const array = new RegExp(`<key>${key}</key>\\s*<array>([^]*?)</array>`).exec(plist)?.[1] ?? '';
  return [...array.matchAll(/>([-\d.]+)</g)].map(([, number]) => Number(number));
}

async function drawView(head: Head, view: View, recipe: BrainRecipe, site: Site): Promise<void> {
  const { cut } = VIEWS[view];
  const slices = Array.from({ length: head.volume.size[cut] }, (_, index) => index);
  let done = 0;
  await mapInLanes(slices, site, async (index) => {
    const slice = sliceOf(head.greys, head.volume, view, index);
    const tissue = slice.data.filter((grey) => grey >= TISSUE_GREY).length / slice.data.length;
    if (tissue >= recipe.leastTissue) {
      const png = await encoded(slice, head.volume, view, recipe.size);
      await site.take(pictureOf(head, { view, index, png, recipe }));
    }
    const phase = `cutting ${head.recipe.domain}, ${view}`;
    site.progress({ phase, done: ++done, total: slices.length, unit: 'slices' });
  });
}

interface Slice {
  data: Uint8Array;
  width: number;
  height: number;
}

/** A slice as people look at it: up is up, and in axial slices the front is. */
export function sliceOf(
  values: Uint8Array,
  { size }: Volume,
  view: keyof typeof VIEWS,
  index: number,
): Slice {
  const { cut, right, down } = VIEWS[view];
  const steps = [1, size[0], size[0] * size[1]] as const;
  const [width, height] = [size[right], size[down]];
  const data = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const row = index * steps[cut] + (height - 1 - y) * steps[down];
    for (let x = 0; x < width; x++) data[y * width + x] = values[row + x * steps[right]] ?? 0;
  }
  return { data, width, height };
}

/** All slices of a volume at one scale, in the middle of a black square. */
async function encoded(
  { data, width, height }: Slice,
  { size, spacing }: Volume,
  view: View,
  side: number,
): Promise<Uint8Array> {
  const { right, down } = VIEWS[view];
  const scale = side / Math.max(...size.map((count, axis) => count * (spacing[axis] ?? 1)));
  const wide = Math.round(width * spacing[right] * scale);
  const high = Math.round(height * spacing[down] * scale);
  const left = Math.floor((side - wide) / 2);
  const top = Math.floor((side - high) / 2);
  return sharp(data, { raw: { width, height, channels: 1 } })
    .resize(wide, high, { fit: 'fill' })
    .extend({
      left,
      top,
      right: side - wide - left,
      bottom: side - high - top,
      background: '#000',
    })
    .toColourspace('b-w')
    .png()
    .toBuffer();
}

function pictureOf(
  { recipe, volume, structures }: Head,
  slice: { view: View; index: number; png: Uint8Array; recipe: BrainRecipe },
) {
  const { view, index, png } = slice;
  const { cut } = VIEWS[view];
  const side = volume.size[cut];
  const { findings, slabs } = slice.recipe;
  const known =
    structures === null
      ? null
      : findingsOn(sliceOf(structures, volume, view, index).data, {
          names: Object.keys(findings),
          placeArea: placeArea(volume, cut),
          presentArea: recipe.presentArea,
        });
  const values = Object.keys(findings).map((name) => [name, String(known?.get(name) ?? '')]);
  return {
    domain: recipe.domain,
    label: view,
    name: String(index).padStart(3, '0'),
    png,
    group: `${recipe.subject}-${view}-${slabOf(index, { side, slabs, view })}`,
    columns: { ...Object.fromEntries(values), View: view } as Record<string, string>,
    licence: recipe.licence,
    attribution: recipe.attribution,
    source: `${recipe.package} ${recipe.file} ${view} ${index}`,
  };
}

function placeArea({ spacing }: Volume, cut: number): number {
  return spacing.reduce((area, step, axis) => (axis === cut ? area : area * step), 1);
}

/**
 * The slab that a slice is in. Heads are nearly the same left and right: sagittal slices as far
 * from the middle are in one slab.
 */
export function slabOf(
  index: number,
  { side, slabs, view }: { side: number; slabs: number; view: keyof typeof VIEWS },
): number {
  if (view !== 'sagittal') return Math.floor((index * slabs) / side);
  const middle = (side - 1) / 2;
  return Math.floor((Math.abs(index - middle) * slabs) / (side / 2));
}

/** Of each finding by the area of its structures: present, uncertain where it is small, absent. */
export function findingsOn(
  structures: Uint8Array,
  {
    names,
    placeArea,
    presentArea,
  }: { names: readonly string[]; placeArea: number; presentArea: number },
): Map<string, FindingValue> {
  const areas = new Float64Array(names.length + 1);
  for (const structure of structures) areas[structure] = (areas[structure] ?? 0) + placeArea;
  return new Map(
    names.map((name, index) => {
      const area = areas[index + 1] ?? 0;
      return [name, area >= presentArea ? 1 : area > 0 ? -1 : 0];
    }),
  );
}
