import { z } from 'zod';

/**
 * Architectures, and what they are drawn with when a study does not say. `width` is the number of
 * channels of the first stage; all others follow from it.
 */
export const ARCHITECTURE_DEFAULTS = {
  'fixup-resnet10': { width: 64, stem: 'small' },
  'fixup-resnet18': { width: 64, stem: 'small' },
  'fixup-resnet34': { width: 64, stem: 'small' },
  'fixup-resnet50': { width: 64, stem: 'small' },
  resnet18: { width: 64, stem: 'imagenet' },
  resnet34: { width: 64, stem: 'imagenet' },
  resnet50: { width: 64, stem: 'imagenet' },
  mobilenetv2: { width: 32, stem: 'imagenet' },
  densenet121: { width: 64, stem: 'imagenet' },
  convnet: { width: 16, stem: 'small' },
} as const;

export type ArchitectureName = keyof typeof ARCHITECTURE_DEFAULTS;
export const ARCHITECTURES = Object.keys(ARCHITECTURE_DEFAULTS) as [
  ArchitectureName,
  ...ArchitectureName[],
];

const written = z.strictObject({
  name: z.enum(ARCHITECTURES),
  width: z.int().positive().max(256).optional(),
  /** Side of the square input in pixels. */
  image: z.int().min(16).max(1024),
  /** small: 5x5 stride 2, no pooling; imagenet: 7x7 stride 2 and 3x3 max pooling. */
  stem: z.enum(['small', 'imagenet']).optional(),
  /** 3: RGB; 1: grey. */
  channels: z.union([z.literal(1), z.literal(3)]).default(3),
  /**
   * keras: MobileNetV2 as Keras builds it (padding on the far sides only, BatchNorm epsilon 1e-3),
   * for weights that come from there.
   */
  dialect: z.enum(['torchvision', 'keras']).default('torchvision'),
});

export const architectureSchema = written.transform((given) => ({
  ...given,
  width: given.width ?? ARCHITECTURE_DEFAULTS[given.name].width,
  stem: given.stem ?? ARCHITECTURE_DEFAULTS[given.name].stem,
}));
export type ArchitectureSpec = z.infer<typeof architectureSchema>;
export type ArchitectureInput = z.input<typeof architectureSchema>;
