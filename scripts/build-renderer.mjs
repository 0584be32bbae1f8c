// Builds the renderer into dist/renderer when its sources have changed since the last build.
// Quiet when there is nothing to do. The new folder takes the old one's place only when it is
// complete, so a build that was killed is simply done again.
import { createHash } from 'node:crypto';
import {
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from './setup.mjs';

const dist = join(root, 'dist');
const folder = join(dist, 'renderer');
const STAMP = '.sources';
const SOURCES = [
  'contract/**/*',
  'renderer/**/*',
  'resources/icons/**/*',
  'package-lock.json',
  'scripts/build-renderer.mjs',
];

/** SHA-256 over the names and contents of everything that the built renderer depends on. */
function sourcesHash() {
  const hash = createHash('sha256');
  const files = globSync(SOURCES, { cwd: root }).sort();
  for (const file of files) {
    const path = join(root, file);
    if (!statSync(path).isFile()) continue;
    hash
      .update(`${file.split(sep).join('/')}\0`)
      .update(readFileSync(path))
      .update('\0');
  }
  return hash.digest('hex');
}

function isBuiltFrom(sources) {
  const stamp = join(folder, STAMP);
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === sources;
}

/** Removes what builds that were killed have left: their process is gone. */
function sweep() {
  for (const name of globSync('renderer-*', { cwd: dist })) {
    const pid = Number(name.split('-').at(-1));
    if (!isAlive(pid)) rmSync(join(dist, name), { recursive: true, force: true });
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function replace(built, old) {
  if (existsSync(folder)) renameSync(folder, old);
  renameSync(built, folder);
  rmSync(old, { recursive: true, force: true });
}

/** Makes dist/renderer that of the present sources. */
export async function buildRenderer() {
  const sources = sourcesHash();
  if (isBuiltFrom(sources)) return;
  mkdirSync(dist, { recursive: true });
  sweep();
  process.stderr.write('setup: building the renderer\n');
  const built = join(dist, `renderer-new-${process.pid}`);
  const { build } = await import('vite');
  try {
    await build({
      configFile: join(root, 'renderer', 'vite.config.ts'),
      logLevel: 'warn',
      build: { outDir: built, emptyOutDir: true },
    });
  } catch (error) {
    rmSync(built, { recursive: true, force: true });
    throw error;
  }
  writeFileSync(join(built, STAMP), sources);
  try {
    if (!isBuiltFrom(sources)) replace(built, join(dist, `renderer-old-${process.pid}`));
  } catch (error) {
    if (!isBuiltFrom(sources)) throw error; // another process was first, with the same result
  }
  rmSync(built, { recursive: true, force: true });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await buildRenderer();
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
}
