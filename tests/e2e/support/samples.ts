import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const SAMPLES = join(ROOT, '.carryover', 'samples');

/** Sample sets that browser tests are about. */
export type SampleName = 'emoji-domains' | 'icon-domains';
const NAMES: SampleName[] = ['emoji-domains', 'icon-domains'];

export const sampleFolder = (name: SampleName): string => join(SAMPLES, name);

/** Builds the sample sets, before the workers start, unless the clone has them. */
export default function buildSamples(): void {
  for (const name of NAMES) {
    const command = ['samples', 'build', name, '--folder', SAMPLES];
    const built = spawnSync(process.execPath, [join(ROOT, 'cli', 'carryover.ts'), ...command], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    if (built.status !== 0) throw new Error(`${name} could not be built`);
  }
}
