import { ANONYMOUS, FOLDED } from '../formats/onnx.ts';

/** Networks that people have and that are not among our architectures, by what gives them away. */
interface Foreign {
  title: string;
  /** What hinders. */
  why: string;
  tell: (shapes: ReadonlyMap<string, readonly number[]>) => boolean;
}

const FOREIGN: readonly Foreign[] = [
  {
    title: 'a ResNet with a deep stem (timm\'s "d" and "t" variants)',
    why: 'its stem is three convolutions (conv1.0, conv1.3, conv1.6) and its shortcuts pool',
    tell: (shapes) => shapes.has('conv1.0.weight') && shapes.has('conv1.3.weight'),
  },
  {
    title: 'a ResNet with average-pooled shortcuts (timm\'s "d" variants)',
    why: 'its shortcuts pool before they convolve',
    tell: (shapes) =>
      shapes.has('layer2.0.downsample.1.weight') &&
      isFilter(shapes, 'layer2.0.downsample.1.weight'),
  },
  {
    title: 'a ResNet with squeeze-and-excitation',
    why: 'its blocks weigh their channels',
    tell: (shapes) =>
      shapes.has('layer1.0.se.fc1.weight') || shapes.has('layer1.0.se_module.fc1.weight'),
  },
  {
    title: 'ResNet-152',
    why: 'its third stage has 36 blocks',
    tell: (shapes) => shapes.has('layer3.35.conv3.weight'),
  },
  {
    title: 'ResNet-101',
    why: 'its third stage has 23 blocks',
    tell: (shapes) => shapes.has('layer3.22.conv3.weight'),
  },
  {
    title: 'ResNeXt',
    why: 'its convolutions are in groups',
    tell: (shapes) => {
      const [filters, depth] = bottleneck(shapes);
      return filters !== undefined && depth !== undefined && depth < filters;
    },
  },
  {
    title: 'Wide ResNet',
    why: 'its bottlenecks are twice as wide',
    tell: (shapes) => {
      const [filters] = bottleneck(shapes);
      return filters !== undefined && filters > (shapes.get('conv1.weight')?.[0] ?? Infinity);
    },
  },
  {
    title: 'DenseNet-161, -169 or -201',
    why: 'its third block has more than 24 layers',
    tell: (shapes) => shapes.has('features.denseblock3.denselayer25.conv1.weight'),
  },
  {
    title: 'a vision transformer',
    why: 'it works on patches, with attention',
    tell: (shapes) =>
      ['cls_token', 'class_token', 'patch_embed.proj.weight'].some((name) => shapes.has(name)),
  },
  {
    title: 'a network whose tensors lost their names in the export to ONNX',
    why: FOLDED,
    tell: (shapes) => [...shapes.keys()].some((name) => name.startsWith(ANONYMOUS)),
  },
];

/** Shape of the 3x3 convolution of the first bottleneck. */
function bottleneck(shapes: ReadonlyMap<string, readonly number[]>): readonly number[] {
  if (!shapes.has('layer1.0.conv3.weight')) return [];
  return shapes.get('layer1.0.conv2.weight') ?? [];
}

function isFilter(shapes: ReadonlyMap<string, readonly number[]>, name: string): boolean {
  return shapes.get(name)?.length === 4;
}

/** The foreign network that these tensors (cleaned names) belong to, if it is a known one. */
export function knownForeign(
  shapes: ReadonlyMap<string, readonly number[]>,
): { title: string; why: string } | null {
  return FOREIGN.find(({ tell }) => tell(shapes)) ?? null;
}
