// Makes a clone ready to run: dependencies, Node 24 from npm, and on request Chromium.
// Plain JavaScript that runs on Node >= 18; everything it says goes to stderr.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');
const stamp = join(modules, '.carryover-setup');
const windows = process.platform === 'win32';

/** Path of the Node 24 binary that the `node` package brings. */
export const node24 = join(modules, 'node', 'bin', windows ? 'node.exe' : 'node');

function say(text) {
  process.stderr.write(`setup: ${text}\n`);
}

function must(command, args, options = {}) {
  const done = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: windows,
    ...options,
  });
  if (done.error) throw new Error(`${command} could not be started: ${done.error.message}`);
  if (done.status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${done.status}`);
}

function lockHash() {
  return createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
}

/** Installs the locked dependencies and Node 24 unless the stamp says they are there. */
export function ensureDependencies() {
  if (isInstalled()) return;
  const release = takeTurn();
  try {
    if (!isInstalled()) installDependencies();
  } finally {
    release();
  }
}

function isInstalled() {
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === lockHash() && existsSync(node24);
}

/** Waits until no other process sets this clone up; two at once would take each other's files away. */
function takeTurn() {
  const file = join(root, '.carryover', 'setup.lock');
  mkdirSync(dirname(file), { recursive: true });
  for (let waited = false; ; waited = true) {
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' });
      return () => rmSync(file, { force: true });
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (!isRunning(holderOf(file))) rmSync(file, { force: true });
    else if (!waited) say('waiting for another setup of this folder to end');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
  }
}

function holderOf(file) {
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch {
    return 0;
  }
}

function isRunning(pid) {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function installDependencies() {
  const want = lockHash();
  say('installing the locked dependencies from npm (about a minute)');
  const bootstrap = mkdtempSync(join(tmpdir(), 'carryover-setup-'));
  try {
    const node =
      Number.parseInt(process.versions.node, 10) === 24 ? process.execPath : fetchNode24(bootstrap);
    npm(node, ['ci', '--loglevel=error']);
    linkNode24(node);
  } finally {
    rmSync(bootstrap, { recursive: true, force: true });
  }
  writeFileSync(stamp, want);
}

/**
 * npm leaves out optional packages that do not take the Node it runs on, and with them the native
 * halves of sharp and vite. So it must run on Node 24 itself, which is fetched alone first.
 */
function fetchNode24(folder) {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const { version } = lock.packages['node_modules/node'];
  const platform = windows ? 'win' : process.platform;
  const arch = process.arch;
  const name = `${platform === 'darwin' && arch === 'arm64' ? 'node-bin' : 'node'}-${platform}-${arch}`;
  writeFileSync(join(folder, 'package.json'), '{}');
  must('npm', ['install', '--loglevel=error', '--no-save', `${name}@${version}`], { cwd: folder });
  return join(folder, 'node_modules', name, 'bin', windows ? 'node.exe' : 'node');
}

/** Runs npm on the given Node: the npm that runs us, else the one on the PATH. */
function npm(node, args) {
  const cli = process.env.npm_execpath;
  if (cli && /npm-cli\.c?js$/.test(cli)) return must(node, [cli, ...args], { shell: false });
  const path = [dirname(node), process.env.PATH].join(delimiter);
  must('npm', args, { env: { ...process.env, PATH: path } });
}

/** Puts Node 24 where the `node` package has it, and first on the PATH of npm's scripts. */
function linkNode24(node) {
  if (!existsSync(node24)) {
    mkdirSync(dirname(node24), { recursive: true });
    copyFileSync(node, node24);
    chmodSync(node24, 0o755);
  }
  if (windows) return;
  const link = join(modules, '.bin', 'node');
  mkdirSync(dirname(link), { recursive: true });
  rmSync(link, { force: true });
  symlinkSync(join('..', 'node', 'bin', 'node'), link);
}

const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** Path of an installed Chromium or Chrome, or undefined. CARRYOVER_CHROMIUM overrides. */
export function findChromium() {
  if (process.env.CARRYOVER_CHROMIUM) return process.env.CARRYOVER_CHROMIUM;
  for (const name of BROWSERS) {
    const found = spawnSync(windows ? 'where' : 'which', [name], { encoding: 'utf8' });
    if (found.status === 0) return found.stdout.split(/\r?\n/)[0];
  }
  return undefined;
}

/**
 * Finds Chromium for the browser tests; as root on Debian installs it with apt, with the Vulkan
 * loader through which the WebGPU tests use Chromium's software GPU.
 */
export function ensureChromium() {
  const found = findChromium();
  if (found) {
    ensureVulkanLoader();
    return found;
  }
  if (!mayInstall()) {
    throw new Error(
      'the browser tests need Chromium: install Chromium or Chrome with your package manager ' +
        '(Debian: sudo apt-get install chromium), or set CARRYOVER_CHROMIUM to its path',
    );
  }
  say('installing Chromium with apt');
  install('chromium', 'libvulkan1');
  const installed = findChromium();
  if (!installed) throw new Error('apt installed chromium but it is not on the PATH');
  return installed;
}

/** Without it the WebGPU tests are skipped by name: nothing else needs it. */
function ensureVulkanLoader() {
  const folders = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib'];
  if (!mayInstall() || folders.some((folder) => existsSync(join(folder, 'libvulkan.so.1')))) return;
  try {
    say('installing the Vulkan loader with apt');
    install('libvulkan1');
  } catch (error) {
    say(`the Vulkan loader could not be installed: ${error.message}`);
  }
}

/** Root on Debian. */
function mayInstall() {
  return process.getuid?.() === 0 && existsSync('/etc/debian_version');
}

function install(...packages) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  must('apt-get', ['update', '-qq'], { env });
  must('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], { env });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  ensureDependencies();
  if (process.argv.includes('--browser')) ensureChromium();
  say('ready');
}
