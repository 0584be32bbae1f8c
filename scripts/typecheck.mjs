// Type-checks the TypeScript layers and the Svelte renderer.
import { spawnSync } from 'node:child_process';
import { root } from './setup.mjs';

const steps = [
  ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json'],
  [
    'node_modules/svelte-check/bin/svelte-check',
    '--tsconfig',
    'renderer/tsconfig.json',
    '--fail-on-warnings',
  ],
];
for (const step of steps) {
  const done = spawnSync(process.execPath, step, { cwd: root, stdio: 'inherit' });
  if (done.status !== 0) process.exit(done.status ?? 1);
}
