// Runs a program of this clone under Node 24, setting up first what is missing.
// Usage: node scripts/run.mjs [--browser] [--renderer] FILE [ARGS...]
import { spawn, spawnSync } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { ensureChromium, ensureDependencies, node24, root } from './setup.mjs';

const args = process.argv.slice(2);
const wants = new Set();
while (args[0]?.startsWith('--')) wants.add(args.shift());
const [file, ...rest] = args;

const env = {
  ...process.env,
  PATH: [join(root, 'node_modules', '.bin'), process.env.PATH].join(delimiter),
  CARRYOVER_HOME: process.env.CARRYOVER_HOME ?? join(root, '.carryover'),
  // Every training and analysis is a process of its own: half of its start was compiling.
  NODE_COMPILE_CACHE:
    process.env.NODE_COMPILE_CACHE ?? join(root, 'node_modules', '.cache', 'compiled'),
};

try {
  ensureDependencies();
  if (wants.has('--browser')) env.CARRYOVER_CHROMIUM = ensureChromium();
  if (wants.has('--renderer') || rest.includes('serve')) buildRenderer();
} catch (error) {
  process.stderr.write(`setup: ${error.message}\n`);
  process.exit(1);
}

// npm changes to the clone's root; the paths that a person types are relative to where they are.
const typed = process.env.npm_lifecycle_event === 'carryover';
const cwd = (typed && process.env.INIT_CWD) || process.cwd();
const child = spawn(node24, [join(root, file), ...rest], { stdio: 'inherit', env, cwd });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));

function buildRenderer() {
  const built = spawnSync(node24, [join(root, 'scripts', 'build-renderer.mjs')], {
    stdio: ['ignore', 2, 2],
    env,
  });
  if (built.status !== 0) throw new Error('the renderer could not be built');
}
