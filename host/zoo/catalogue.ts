import { z } from 'zod';
import { ARCHITECTURES } from '../../contract/architecture.ts';
import type { ZooEntry } from '../../contract/checkpoints.ts';
import { CarryoverError } from '../../contract/errors.ts';
import zoo from '../../resources/zoo.json' with { type: 'json' };

/** A known source of weights; the address `npm:name@version` is a package. */
export type ZooSource = Omit<ZooEntry, 'checkpointId'>;

const triple = z.tuple([z.number(), z.number(), z.number()]);

const source: z.ZodType<ZooSource> = z.strictObject({
  id: z.string(),
  title: z.string(),
  architecture: z.enum(ARCHITECTURES),
  data: z.string(),
  url: z.string(),
  page: z.string(),
  bytes: z.int().nullable(),
  licence: z.string(),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{8,64}$/)
    .nullable(),
  preprocessing: z.strictObject({
    size: z.int().nullable(),
    mean: triple.nullable(),
    std: triple.nullable(),
    interpolation: z.enum(['bilinear', 'bicubic']).nullable(),
    crop: z.number().nullable(),
  }),
  obstacle: z.strictObject({ why: z.string(), wayOut: z.string() }).nullable(),
});

/** resources/zoo.json. */
export const ZOO: readonly ZooSource[] = z.array(source).parse(zoo);

/** The source of that id. Throws CarryoverError `not-found` with the ids there are. */
export function zooSource(id: string, sources: readonly ZooSource[]): ZooSource {
  const found = sources.find((each) => each.id === id);
  if (found) return found;
  throw new CarryoverError('not-found', `the model zoo has no "${id}"`, {
    value: id,
    wayOut: `choose one of ${sources.map((each) => each.id).join(', ')}`,
  });
}
