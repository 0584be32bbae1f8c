import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const SAMPLES = join(ROOT, '.carryover', 'samples');

/** Sample sets that browser tests are about. */
export type SampleName = 'emoji-domains' | 'icon-domains';
const NAMES: SampleName[] = ['emoji-domains', 'icon-domains'];

export const sampleFolder = (name: SampleName): string => join(SAMPLES, name);

/** Builds the sample sets, before the workers start, unless the clone has them. */
export default async function buildSamples(): Promise<void> {
  await Promise.all(NAMES.map(build));
}

async function build(name: SampleName): Promise<void> {
  const command = ['samples', 'build', name, '--folder', SAMPLES];
  const child = spawn(process.execPath, [join(ROOT, 'cli', 'carryover.ts'), ...command], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${name} could not be built`);
}
