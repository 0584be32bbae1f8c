/** What every bench is, and what they share. */
import { cpus, loadavg, release, totalmem } from 'node:os';
import type { ArchitectureInput, ArchitectureSpec } from '../contract/architecture.ts';
import { architectureSchema } from '../contract/architecture.ts';
import type { OnnxDevice } from '../engine/runtime/onnx/session.ts';

/** What the person asked for on the command line. */
export interface Choice {
  architecture?: ArchitectureSpec['name'];
  width?: number;
  stem?: ArchitectureSpec['stem'];
  image: number;
  batch: number;
  /** Of the data set, where a bench makes one. */
  images?: number;
  rounds?: number;
  device: OnnxDevice;
  threads: number;
  /** False: TensorFlow.js, which is very slow, is left out. */
  tfjs: boolean;
  /** Real images: a sample set by name, or the absolute path of a folder like one. */
  sample: string;
  json?: boolean;
}

export interface Bench {
  name: string;
  about: string;
  run(choice: Choice): Promise<Measured>;
}

export interface Measured {
  /** One per setting, with the raw times. */
  results: object[];
  /** The same for people. */
  lines: string[];
}

/** A network to measure, and how often. */
export interface Setting {
  architecture: ArchitectureSpec;
  rounds: number;
}

export function networkOf(
  name: ArchitectureInput['name'],
  image: number,
  more: Partial<ArchitectureInput> = {},
): ArchitectureSpec {
  return architectureSchema.parse({ name, image, ...more });
}

/** The standard set: the networks that the goals are said for. */
export const STANDARD: readonly Setting[] = [
  { architecture: networkOf('fixup-resnet18', 64), rounds: 7 },
  { architecture: networkOf('resnet18', 64), rounds: 7 },
  { architecture: networkOf('fixup-resnet18', 128), rounds: 5 },
  { architecture: networkOf('resnet18', 128), rounds: 5 },
];

/** A network so small that whatever is not arithmetic shows. */
export const SMALL: Setting = {
  architecture: networkOf('fixup-resnet10', 48, { width: 16 }),
  rounds: 15,
};

/** The network that was asked for, else the standard ones. */
export function chosen<S extends Setting>(
  { architecture, width, stem, image, rounds }: Choice,
  standard: readonly S[],
): (S | Setting)[] {
  const more = { ...(width && { width }), ...(stem && { stem }) };
  const settings: (S | Setting)[] = architecture
    ? [{ architecture: networkOf(architecture, image, more), rounds: 7 }]
    : [...standard];
  return settings.map((setting) => ({ ...setting, rounds: rounds ?? setting.rounds }));
}

export function machine(): object & { line: string } {
  const [cpu] = cpus();
  const [load = 0] = loadavg();
  const about = {
    cpu: cpu?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${release()}`,
    node: process.version,
    /** Over the last minute, before the measurement: other work makes times worse. */
    load,
  };
  const { cores, system, node } = about;
  return {
    ...about,
    line: `${about.cpu}, ${cores} cores, ${system}, Node ${node}, load ${load.toFixed(2)}`,
  };
}

export function titleOf({ name, width, image, stem, channels }: ArchitectureSpec): string {
  const grey = channels === 1 ? ', grey' : '';
  return `${name}, width ${width}, ${stem} stem, ${image} px${grey}`;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return ((low ?? NaN) + (high ?? NaN)) / 2;
}

/** What a piece of work took, in seconds. */
export async function timed<T>(work: () => Promise<T>): Promise<{ seconds: number; result: T }> {
  const start = performance.now();
  const result = await work();
  return { seconds: (performance.now() - start) / 1000, result };
}
