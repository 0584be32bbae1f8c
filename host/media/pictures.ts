import type { Database } from 'better-sqlite3';
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { CarryoverError } from '../../contract/errors.ts';
import { HIGHEST_SHUFFLE_SEED, recipeSchema } from '../../contract/study.ts';
import type { HostContext } from '../context.ts';
import { joined, limit } from './limit.ts';
import type { ImageRecord } from './original.ts';
import { imageRecords } from './original.ts';
import { THUMBNAIL_SIDES, cachedThumbnail, makeThumbnail, thumbnailPath } from './thumbnails.ts';
import type { ThumbnailSide } from './thumbnails.ts';
import type { View } from './views.ts';
import { originalPng, viewOfRun, viewPng } from './views.ts';

/** A picture that is known but not made yet. */
export interface Picture {
  /** Changes whenever the picture would: the content's hash and what is done to it. */
  etag: string;
  type: 'image/webp' | 'image/png';
  /** Makes or reads it. Throws CarryoverError, see `unchangedOriginal`. */
  read(): Promise<Uint8Array<ArrayBuffer>>;
}

export type PictureKind = 'thumbnail' | 'original' | 'input' | 'shuffled';

export interface Pictures {
  /**
   * A picture of an image by its id in the database and the query of its route (contract/api.ts).
   * Throws `not-found` (no such image or run) or `bad-input` (the query).
   */
  find(id: number, kind: PictureKind, query: Record<string, string>): Picture;
}

/** Pictures that are decoded at the same time; each may take some hundred megabytes. */
const AT_ONCE = 2;

const whole = z
  .string()
  .regex(/^\d{1,10}$/, 'not a whole number')
  .transform(Number);
const queries = {
  thumbnail: z.strictObject({ w: whole.pipe(z.literal(THUMBNAIL_SIDES)).default(256) }),
  original: z.strictObject({}),
  input: z.strictObject({ run: z.string().min(1).max(128) }),
  shuffled: z.strictObject({
    size: whole.pipe(z.int().min(1).max(1024)),
    block: z.union([z.enum(['none', 'pixel']), whole.pipe(z.int().positive())]),
    seed: whole.pipe(z.int().max(HIGHEST_SHUFFLE_SEED)).default(0),
  }),
};

/** Of the preview of a shuffle: the recipe that a study has unless it says otherwise. */
const PREVIEW_RECIPE = recipeSchema.parse({});

/** The pictures of a workbench; equal ones asked for at the same time are made once. */
export function createPictures({ db, home }: HostContext): Pictures {
  const recordOf = imageRecords(db);
  const inTurn = limit(AT_ONCE);
  const once = joined<Uint8Array<ArrayBuffer>>();
  const png = (
    record: ImageRecord,
    etag: string,
    make: () => Promise<Uint8Array<ArrayBuffer>>,
  ): Picture => ({
    etag,
    type: 'image/png',
    read: () => once(`${record.id} ${etag}`, () => inTurn(make)),
  });

  function thumbnail(record: ImageRecord, side: ThumbnailSide): Picture {
    const path = thumbnailPath(home.cache, record.sha256, side);
    const make = async (): Promise<Uint8Array<ArrayBuffer>> =>
      (await cachedThumbnail(path)) ?? inTurn(() => makeThumbnail(record, side, path));
    const etag = etagOf(record, side);
    return { etag, type: 'image/webp', read: () => once(`${record.id} ${etag}`, make) };
  }

  function view(record: ImageRecord, seen: View): Picture {
    const seenHash = createHash('sha256').update(JSON.stringify(seen)).digest('hex');
    const etag = etagOf(record, seenHash.slice(0, 16));
    return png(record, etag, () => viewPng(record, seen));
  }

  return {
    find(id, kind, query) {
      const record = recordOf(id);
      switch (kind) {
        case 'thumbnail':
          return thumbnail(record, parse(kind, query).w);
        case 'original':
          parse(kind, query);
          return png(record, etagOf(record, 'original'), () => originalPng(record));
        default:
          return view(record, askedFor(db, kind, query));
      }
    },
  };
}

function askedFor(db: Database, kind: 'input' | 'shuffled', query: Record<string, string>): View {
  if (kind === 'input') return viewOfRun(db, parse(kind, query).run);
  const { size, block, seed } = parse(kind, query);
  return { recipe: PREVIEW_RECIPE, size, shuffle: block, seed, channels: 3 };
}

function etagOf({ sha256 }: ImageRecord, ...parts: (string | number)[]): string {
  return `"${[sha256, ...parts].join('-')}"`;
}

function parse<K extends PictureKind>(
  kind: K,
  query: Record<string, string>,
): z.output<(typeof queries)[K]> {
  const parsed = queries[kind].safeParse(query);
  if (parsed.success) return parsed.data as z.output<(typeof queries)[K]>;
  const issue = parsed.error.issues[0];
  const key = issue?.path.join('.') || 'query';
  throw new CarryoverError('bad-input', `${kind} picture: ${key}: ${issue?.message ?? 'invalid'}`, {
    value: query[key] ?? key,
    wayOut: 'see the addresses of pictures in contract/api.ts',
  });
}
