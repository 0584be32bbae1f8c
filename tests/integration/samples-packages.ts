import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import sharp from 'sharp';
import { pack } from 'tar-stream';
import type { FetchPackage } from '../../host/samples/packages.ts';

type Files = Record<string, string | Uint8Array>;

/** A FetchPackage that writes small packages of the real ones' form itself. `asked` lists what was fetched. */
export function smallPackages(packages: Record<string, Files>): {
  fetchPackage: FetchPackage;
  asked: string[];
} {
  const asked: string[] = [];
  return {
    asked,
    async fetchPackage(spec, folder) {
      asked.push(spec);
      const tarball = join(folder, 'package.tgz');
      const tar = pack();
      for (const [path, content] of Object.entries(packages[spec] ?? {})) {
        tar.entry({ name: `package/${path}` }, Buffer.from(content));
      }
      tar.finalize();
      await pipeline(tar, createGzip(), createWriteStream(tarball));
      return tarball;
    },
  };
}

const shapes = {
  line: (d: number) =>
    `<circle cx="12" cy="12" r="${5 + d}" fill="none" stroke="currentColor" stroke-width="1.5"/>`,
  solid: (d: number) => `<circle cx="12" cy="12" r="${5 + d}" fill="currentColor"/>`,
  duotone: (d: number) =>
    `<g opacity=".3"><circle cx="12" cy="12" r="${5 + d}"/></g><path d="M2 ${2 + d}h20v3H2z"/>`,
  color: (d: number) => `<circle cx="12" cy="12" r="${5 + d}" fill="#${d}0c040"/>`,
};

/** An IconifyJSON file; `icons` maps names to a style and a size 0..5. */
function iconSet(
  prefix: string,
  info: { spdx: string; category: string; palette?: boolean },
  icons: Record<string, [keyof typeof shapes, number]>,
): string {
  const bodies = Object.entries(icons).map(([name, [style, d]]) => [
    name,
    { body: shapes[style](d) },
  ]);
  return JSON.stringify({
    prefix,
    info: {
      name: `${prefix}, the set`,
      author: { name: `Maker of "${prefix}"` },
      license: { title: info.spdx, spdx: info.spdx },
      category: info.category,
      palette: info.palette ?? false,
    },
    icons: Object.fromEntries(bodies),
    width: 24,
    height: 24,
  });
}

const open = { spdx: 'MIT', category: 'UI 24px' };

/** A package in the form of @iconify/json with a handful of icons of the real recipe's concepts. */
export const ICON_PACKAGE: Files = {
  'package.json': '{}',
  'json/ph.json': iconSet('ph', open, {
    bell: ['line', 0],
    'bell-fill': ['solid', 0],
    'bell-duotone': ['duotone', 0],
    'bell-bold': ['line', 3],
    'bell-thin': ['line', 0],
    'bell-slash': ['line', 5],
    'house-fill': ['solid', 2],
  }),
  'json/tabler.json': iconSet('tabler', open, {
    home: ['line', 4],
    'home-filled': ['solid', 4],
    'home-duotone': ['duotone', 4],
  }),
  'json/twemoji.json': iconSet(
    'twemoji',
    { spdx: 'CC-BY-4.0', category: 'Emoji', palette: true },
    { bell: ['color', 1], house: ['line', 2], mouse: ['color', 3] },
  ),
  'json/streamline-color.json': iconSet(
    'streamline-color',
    { spdx: 'CC-BY-4.0', category: 'UI Multicolor', palette: true },
    { 'bell-flat': ['color', 3], home: ['line', 3] },
  ),
  'json/pixelarticons.json': iconSet('pixelarticons', open, { bell: ['solid', 1] }),
  'json/streamline-freehand.json': iconSet('streamline-freehand', open, {
    'alert-alarm-bell': ['line', 1],
    bell: ['line', 4],
  }),
  'json/gala.json': iconSet('gala', { ...open, spdx: 'GPL-3.0' }, { bell: ['line', 5] }),
  'json/logos.json': iconSet('logos', { ...open, category: 'Logos' }, { bell: ['solid', 5] }),
};

const emojiSet = (prefix: string): Files => ({
  'icons.json': JSON.stringify({
    prefix,
    width: 24,
    height: 24,
    icons: {
      'fox-face': { body: shapes.color(1) },
      'thermometer-and-sun': { body: shapes.color(3) },
      tulip: { body: shapes.color(5) },
    },
    aliases: { fox: { parent: 'fox-face' } },
  }),
  'info.json': JSON.stringify({
    name: prefix,
    author: { name: 'Somebody' },
    license: { title: 'MIT', spdx: 'MIT' },
    palette: true,
  }),
});

/** Packages in the form of the six that emoji-domains is drawn from, with two emoji. */
export async function emojiPackages(): Promise<Record<string, Files>> {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24">${shapes.line(2)}</svg>`;
  const webp = await sharp(Buffer.from(svg)).resize(256).webp().toBuffer();
  const entry = { group: 'animals-nature', skintone: '', openmoji_author: 'A' };
  const chars = JSON.stringify({ '1f98a': 'fox', '1f337': 'tulip' });
  const index = [
    { ...entry, hexcode: '1F98A', subgroups: 'animal-mammal', annotation: 'fox' },
    { ...entry, hexcode: '1F337-FE0F', subgroups: 'plant-flower', annotation: 'tulip' },
    { ...entry, hexcode: '1F3C1', subgroups: 'flag', annotation: 'chequered flag' },
  ];
  return {
    'openmoji@17.0.0': {
      'data/openmoji.json': JSON.stringify(index),
      'black/svg/1F98A.svg': svg,
      'black/svg/1F337-FE0F.svg': svg,
      'color/svg/1F98A.svg': svg,
    },
    '@lobehub/fluent-emoji-3d@1.1.0': { 'assets/1f98a.webp': webp },
    '@iconify-json/noto@1.2.9': { ...emojiSet('noto'), 'chars.json': chars },
    '@iconify-json/twemoji@1.2.5': { ...emojiSet('twemoji'), 'chars.json': chars },
    '@iconify-json/emojione@1.2.3': { ...emojiSet('emojione'), 'chars.json': '{}' },
    '@iconify-json/fluent-emoji-high-contrast@1.2.6': {
      ...emojiSet('fluent-emoji-high-contrast'),
      'chars.json': chars,
    },
  };
}
