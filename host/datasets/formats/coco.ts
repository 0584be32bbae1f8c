/** Annotations as COCO writes them: images, categories and annotations in one JSON file. */
import { open } from 'node:fs/promises';
import { posix } from 'node:path';
import { z } from 'zod';
import type { FindingValue } from '../../../contract/datasets.ts';
import { CarryoverError } from '../../../contract/errors.ts';
import { counted, fewOf } from '../order.ts';
import type { Tree, TreeFile } from '../tree.ts';
import { absolutePath } from '../walk.ts';
import { givenTable } from './around.ts';
import { candidate, emptyRead, inOrder } from './candidate.ts';
import { withoutShapes } from './coco-shapes.ts';
import type { Naming } from './find.ts';
import { FileFinder, folderOf } from './find.ts';
import { NamedFiles } from './named-files.ts';
import type { Read, Reader } from './reader.ts';
import { splitInPath, splitOfFolder } from './splits.ts';

const MAX_BYTES = 500 * 2 ** 20;
/** Up to here a file is parsed when offers are made. */
const MAX_OFFERED_BYTES = 8 * 2 ** 20;
const START_BYTES = 2 ** 20;
const MOST_FILES = 24;
const MOST_FOLDERS_DEEP = 2;

const id = z.union([z.number(), z.string()]);
const cocoSchema = z.object({
  images: z.array(
    z.object({
      id,
      file_name: z.string().min(1),
      license: id.nullish(),
      coco_url: z.string().nullish(),
      flickr_url: z.string().nullish(),
    }),
  ),
  categories: z.array(z.object({ id, name: z.string().min(1) })),
  annotations: z.array(z.object({ image_id: id, category_id: id })),
  licenses: z.array(z.object({ id, name: z.string() })).optional(),
});
type Coco = z.infer<typeof cocoSchema>;
type CocoImage = Coco['images'][number];
type Id = z.infer<typeof id>;

/** An image of one of the files, with the names of its categories. */
interface Annotated {
  file: TreeFile;
  image: CocoImage;
  source: string;
  licence: string | null;
  names: Set<string>;
}

export const coco: Reader<'coco'> = {
  format: 'coco',
  offers: async (tree) => {
    const found = [];
    for (const file of jsonFiles(tree)) if (await looksLikeCoco(tree, file)) found.push(file.path);
    if (found.length === 0) return [];
    const files = withoutOthers(found);
    const why = `${fewOf(files, 3)}: images, categories and annotations as COCO has them`;
    return [{ reading: { format: 'coco', files }, title: 'COCO annotations', why }];
  },
  read: async (tree, { files }, { signal, onProgress }) => {
    const reader = new CocoReader(tree);
    for (const path of files) {
      signal.throwIfAborted();
      await reader.readOne(path);
      onProgress?.(reader.images);
    }
    return reader.finish(files);
  },
};

function jsonFiles(tree: Tree): TreeFile[] {
  const given = givenTable(tree);
  if (given) return [given];
  return tree.files
    .filter(({ path }) => /\.json$/i.test(path) && path.split('/').length <= MOST_FOLDERS_DEEP + 1)
    .slice(0, MOST_FILES);
}

/** COCO has the same images in captions, keypoints and stuff too: its instances are what is on them. */
function withoutOthers(files: string[]): string[] {
  const instances = files.filter((path) => posix.basename(path).startsWith('instances_'));
  return instances.length > 0 ? instances : files;
}

async function looksLikeCoco(tree: Tree, file: TreeFile): Promise<boolean> {
  if (file.bytes > MAX_OFFERED_BYTES) return startsAsCoco(tree, file);
  const bytes = await tree.read(file, MAX_OFFERED_BYTES);
  try {
    return cocoSchema.safeParse(JSON.parse(bytes.toString('utf8'))).success;
  } catch {
    return false;
  }
}

/** Large files are told by their beginning; in an archive they are not looked into. */
async function startsAsCoco(tree: Tree, file: TreeFile): Promise<boolean> {
  if (file.entry !== null || file.bytes > MAX_BYTES) return false;
  const opened = await open(absolutePath(tree.root, file.file), 'r');
  try {
    const { buffer, bytesRead } = await opened.read(Buffer.alloc(START_BYTES), 0, START_BYTES, 0);
    const start = buffer.toString('latin1', 0, bytesRead);
    return /^\s*\{/.test(start) && /"(file_name|category_id)"\s*:/.test(start);
  } finally {
    await opened.close();
  }
}

/** Throws CarryoverError `bad-input` naming the file and what is wrong in it. */
async function parseCoco(tree: Tree, file: TreeFile): Promise<Coco> {
  const bytes = await tree.read(file, MAX_BYTES);
  const wayOut = 'give a file with the lists images, categories and annotations';
  const fail = (reason: string): CarryoverError =>
    new CarryoverError('bad-input', `${file.path}: ${reason}`, { file: file.path, wayOut });
  let json: unknown;
  try {
    json = JSON.parse(withoutShapes(bytes).toString('utf8'));
  } catch (error) {
    throw fail(`not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const parsed = cocoSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw fail(`${issue?.path.join('.')}: ${issue?.message}`);
}

class CocoReader {
  readonly #tree: Tree;
  readonly #finder: FileFinder;
  readonly #read: Read = emptyRead('single-label');
  readonly #annotated = new Map<TreeFile, Annotated>();
  readonly #nameOf = new Map<Id, string>();
  readonly #files = new Set<TreeFile>();
  readonly #shared = new Map<string, ReadonlyMap<string, FindingValue>>();

  constructor(tree: Tree) {
    this.#tree = tree;
    this.#finder = new FileFinder(tree);
  }

  get images(): number {
    return this.#annotated.size;
  }

  async readOne(path: string): Promise<void> {
    const file = this.#finder.at(path);
    if (!file) {
      throw new CarryoverError('bad-input', `there is no file ${path} in ${this.#tree.root}`, {
        file: path,
        wayOut: 'name the annotations by their path relative to the folder',
      });
    }
    this.#files.add(file);
    const { images, categories, annotations, licenses = [] } = await parseCoco(this.#tree, file);
    this.#addCategories(path, categories);
    const licenceOf = new Map(licenses.map((licence) => [licence.id, licence.name]));
    const byId = new Map<Id, Annotated>();
    const known = new Set<Id>();
    const files = new NamedFiles(this.#finder, namingOf(path));
    for (const image of images) {
      known.add(image.id);
      const licence = licenceOf.get(image.license ?? '') ?? null;
      files.name(image.file_name, (found) => {
        const annotated = this.#addImage(path, image, found, licence);
        if (annotated) byId.set(image.id, annotated);
      });
    }
    files.finish();
    for (const { image_id, category_id } of annotations) {
      const name = this.#nameOf.get(category_id);
      if (name === undefined) throw unknownId(path, 'category', category_id);
      if (!known.has(image_id)) throw unknownId(path, 'image', image_id);
      byId.get(image_id)?.names.add(name);
    }
  }

  #addCategories(path: string, categories: Coco['categories']): void {
    for (const category of categories) {
      const name = this.#nameOf.get(category.id) ?? category.name;
      if (name !== category.name) {
        const reason = `category ${category.id} is "${category.name}" here and "${name}" in another file`;
        throw new CarryoverError('bad-input', `${path}: ${reason}`, {
          file: path,
          value: category.name,
          wayOut: 'read files together only when they share their categories',
        });
      }
      this.#nameOf.set(category.id, name);
    }
  }

  #addImage(
    path: string,
    image: CocoImage,
    file: TreeFile | string,
    licence: string | null,
  ): Annotated | null {
    if (typeof file === 'string') {
      const reason = `${file} (${path}, image ${image.id})`;
      this.#read.skipped.push({ path: image.file_name, reason });
      return null;
    }
    const before = this.#annotated.get(file);
    if (before) {
      const reason = `listed again (${path}, image ${image.id}) after ${before.source}`;
      this.#read.skipped.push({ path: file.path, reason });
      return null;
    }
    const annotated = { file, image, source: path, licence, names: new Set<string>() };
    this.#annotated.set(file, annotated);
    return annotated;
  }

  finish(files: string[]): Read {
    const read = this.#read;
    const all = [...this.#nameOf].sort(([a], [b]) => Number(a) - Number(b));
    const names = [...new Set(all.map(([, name]) => name))];
    const several = [...this.#annotated.values()].filter((one) => one.names.size > 1).length;
    if (several > 0) {
      read.task = 'multi-label';
      read.warnings.push(
        `${counted(several, 'image')} with several categories: each category is a finding, ` +
          'absent where an image has no annotation of it',
      );
    }
    for (const one of this.#annotated.values()) this.#place(one, names);
    const used = new Set(read.candidates.map(({ label }) => label));
    read.classNames = several > 0 ? names : names.filter((name) => used.has(name));
    const reason = `not among the images of ${fewOf(files)}`;
    for (const file of this.#tree.files) {
      if (this.#annotated.has(file) || this.#files.has(file)) continue;
      read.skipped.push({ path: file.path, reason });
    }
    return inOrder(read);
  }

  #place({ file, image, source, licence, names }: Annotated, all: string[]): void {
    const known = {
      split: splitInPath(source) ?? splitOfFolder(folderOf(file.path)),
      licence,
      source: image.flickr_url ?? image.coco_url ?? null,
    };
    if (this.#read.task === 'multi-label') {
      const findings = this.#findings(names, all);
      this.#read.candidates.push(candidate(file, { ...known, findings }));
      return;
    }
    const [label] = names;
    if (label !== undefined) this.#read.candidates.push(candidate(file, { ...known, label }));
    else this.#read.skipped.push({ path: file.path, reason: `no annotation (${source})` });
  }

  /** Many images have the same few categories: each set of findings is kept once. */
  #findings(names: Set<string>, all: string[]): ReadonlyMap<string, FindingValue> {
    const key = all.filter((name) => names.has(name)).join('\n');
    const findings =
      this.#shared.get(key) ?? new Map(all.map((name) => [name, names.has(name) ? 1 : 0]));
    this.#shared.set(key, findings);
    return findings;
  }
}

/** Images lie in the folder of their split, beside the file, at the root or in `images`. */
function namingOf(table: string): Naming {
  const folder = folderOf(table);
  const split = splitWord(table);
  const ofSplit = split === null ? [] : [split, `images/${split}`];
  return { table, folders: [...ofSplit, folder, '', 'images', posix.join(folder, 'images')] };
}

/** The part of `instances_train2017.json` that a folder of its images is named by: `train2017`. */
function splitWord(path: string): string | null {
  const words = posix.basename(path, posix.extname(path)).split(/[^a-z0-9]+/i);
  return words.find((word) => splitInPath(word) !== null) ?? null;
}

function unknownId(path: string, what: string, id: Id): CarryoverError {
  return new CarryoverError(
    'bad-input',
    `${path}: an annotation of ${what} ${id}, which is not in it`,
    {
      file: path,
      value: String(id),
      wayOut: 'give the file as it was published',
    },
  );
}
