/** A large folder of real pictures: the icons of one npm package, each drawn once. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import type { IconSetFile } from '../host/samples/icons.ts';
import { svgOf } from '../host/samples/icons.ts';
import { npmPack, readTarball } from '../host/samples/packages.ts';
import { encodePng, mapInLanes, rasterise } from '../host/samples/picture.ts';

const PACKAGE = '@iconify/json@2.2.535';
const SIDE = 96;
/** Of each icon set at most this share of all pictures, so that there are many sets. */
const SHARE = 1 / 50;

interface Icon {
  /** `<mono or colour>/<icon set>/<icon>.png` */
  path: string;
  svg: string;
}

/**
 * The folder of `count` distinct icons as PNGs of 96 x 96 pixels, laid out as domain/class/image
 * with the icon set as the class. Drawn on first use (about 7 ms of a core each), then reused.
 * @param cache folder that may be deleted at any time
 */
export async function iconFolder(cache: string, count: number): Promise<string> {
  const folder = join(cache, 'bench', `icons-${count}`);
  if (existsSync(folder)) return folder;
  await mkdir(dirname(folder), { recursive: true });
  const workshop = await mkdtemp(`${folder}-`);
  const { signal } = new AbortController();
  try {
    const tarball = await npmPack(PACKAGE, workshop, signal);
    const icons = await chooseIcons(tarball, count, signal);
    const lanes = 2 * availableParallelism();
    await mapInLanes(icons, { lanes, signal }, async ({ path, svg }) => {
      const file = join(workshop, 'set', path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, await encodePng(await rasterise(svg, SIDE)));
    });
    await rename(join(workshop, 'set'), folder);
  } finally {
    await rm(workshop, { recursive: true, force: true });
  }
  return folder;
}

async function chooseIcons(tarball: string, count: number, signal: AbortSignal): Promise<Icon[]> {
  const icons: Icon[] = [];
  const most = Math.ceil(count * SHARE);
  await readTarball(tarball, {
    wanted: (path) => icons.length < count && /^json\/[^/]+\.json$/.test(path),
    take: (_, content) => {
      const set = JSON.parse(content.toString('utf8')) as IconSetFile;
      const shown = Object.keys(set.icons).filter((icon) => !set.icons[icon]?.hidden);
      for (const icon of shown.slice(0, Math.min(most, count - icons.length))) {
        const domain = set.info.palette ? 'colour' : 'mono';
        const path = `${domain}/${set.prefix}/${icon}.png`;
        icons.push({ path, svg: svgOf(set, icon, SIDE) });
      }
    },
    signal,
  });
  if (icons.length === count) return icons;
  throw new Error(`${PACKAGE} has just ${icons.length} icons so`);
}
