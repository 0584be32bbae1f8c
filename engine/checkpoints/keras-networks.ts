import type { ArchitectureName, ArchitectureSpec } from '../../contract/architecture.ts';

/** A Keras application whose graph is one of ours. */
export interface KerasNetwork {
  architecture: ArchitectureName;
  dialect: ArchitectureSpec['dialect'];
  title: string;
  /** BatchNorm's epsilon in Keras' code, for files that do not hold the graph. */
  epsilon: number;
  /** The one of our graph of that dialect. */
  ourEpsilon: number;
  /** Our module by Keras' layer name, '/' in old names written '_'. */
  modules: ReadonlyMap<string, string>;
  /** Layers of stride 2; every other convolution has stride 1. */
  strided: ReadonlySet<string>;
  /** Our module of the classifier, and what Keras has called it. */
  head: string;
  headNames: readonly string[];
  /** What Keras' own weights of it were fed, for users to know: no file says it. */
  feeding: string;
}

/** A Keras network that is not one of ours, and why its weights would not do. */
export interface KerasForeigner {
  tell: (layers: ReadonlySet<string>) => boolean;
  why: string;
}

/** keras/src/applications/mobilenet_v2.py: 17 inverted residual blocks, the first without expansion. */
function mobilenetv2Modules(): Map<string, string> {
  const modules = new Map([
    ['Conv1', 'features.0.0'],
    ['bn_Conv1', 'features.0.1'],
    ['expanded_conv_depthwise', 'features.1.conv.0.0'],
    ['expanded_conv_depthwise_BN', 'features.1.conv.0.1'],
    ['expanded_conv_project', 'features.1.conv.1'],
    ['expanded_conv_project_BN', 'features.1.conv.2'],
    ['Conv_1', 'features.18.0'],
    ['Conv_1_bn', 'features.18.1'],
  ]);
  for (let block = 1; block <= 16; block++) {
    const ours = `features.${block + 1}.conv`;
    modules.set(`block_${block}_expand`, `${ours}.0.0`);
    modules.set(`block_${block}_expand_BN`, `${ours}.0.1`);
    modules.set(`block_${block}_depthwise`, `${ours}.1.0`);
    modules.set(`block_${block}_depthwise_BN`, `${ours}.1.1`);
    modules.set(`block_${block}_project`, `${ours}.2`);
    modules.set(`block_${block}_project_BN`, `${ours}.3`);
  }
  return modules;
}

/** keras/src/applications/densenet.py: blocks conv2 to conv5, transitions pool2 to pool4. */
function densenet121Modules(): Map<string, string> {
  const modules = new Map([
    ['conv1_conv', 'features.conv0'],
    ['conv1_bn', 'features.norm0'],
    ['bn', 'features.norm5'],
  ]);
  [6, 12, 24, 16].forEach((layers, position) => {
    const [block, keras] = [position + 1, position + 2];
    for (let layer = 1; layer <= layers; layer++) {
      const ours = `features.denseblock${block}.denselayer${layer}`;
      modules.set(`conv${keras}_block${layer}_0_bn`, `${ours}.norm1`);
      modules.set(`conv${keras}_block${layer}_1_conv`, `${ours}.conv1`);
      modules.set(`conv${keras}_block${layer}_1_bn`, `${ours}.norm2`);
      modules.set(`conv${keras}_block${layer}_2_conv`, `${ours}.conv2`);
    }
    if (block === 4) return;
    modules.set(`pool${keras}_bn`, `features.transition${block}.norm`);
    modules.set(`pool${keras}_conv`, `features.transition${block}.conv`);
  });
  return modules;
}

export const KERAS_NETWORKS: readonly KerasNetwork[] = [
  {
    architecture: 'mobilenetv2',
    dialect: 'keras',
    title: 'MobileNetV2',
    epsilon: 1e-3,
    ourEpsilon: 1e-3,
    modules: mobilenetv2Modules(),
    strided: new Set(['Conv1', ...[1, 3, 6, 13].map((block) => `block_${block}_depthwise`)]),
    head: 'classifier.1',
    headNames: ['predictions', 'Logits'],
    feeding:
      "Keras' own MobileNetV2 was fed pixels from -1 to 1 (mean 0.5, std 0.5); the file does not say what this one was fed",
  },
  {
    architecture: 'densenet121',
    dialect: 'torchvision',
    title: 'DenseNet121',
    epsilon: 1.001e-5,
    ourEpsilon: 1e-5,
    modules: densenet121Modules(),
    strided: new Set(['conv1_conv']),
    head: 'classifier',
    headNames: ['predictions', 'fc1000'],
    feeding:
      "Keras' own DenseNet121 was fed pixels normalised by ImageNet's mean and standard deviation; the file does not say what this one was fed",
  },
];

export const KERAS_FOREIGNERS: readonly KerasForeigner[] = [
  {
    tell: (layers) => layers.has('conv2_block1_3_conv') || layers.has('res2a_branch2a'),
    why: "Keras' ResNets are not torchvision's: they stride in the first 1x1 convolution of a block (ours in the 3x3), their convolutions have biases, and BatchNorm's epsilon is 1.001e-5, so these weights would compute something else in our graph. Bring ResNet weights made with PyTorch (torchvision, timm)",
  },
  {
    tell: (layers) => layers.has('conv4_block25_1_conv'),
    why: 'this is DenseNet-169 or -201, and of the DenseNets there is only 121 here',
  },
  {
    tell: (layers) => layers.has('conv_dw_1'),
    why: 'this is MobileNet (version 1), which is not among our architectures',
  },
];
