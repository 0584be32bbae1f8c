import { existsSync, readFileSync, statSync } from 'node:fs';
import { access, constants, statfs } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import type { Database } from 'better-sqlite3';
import type { Command } from 'commander';
import { CarryoverError } from '../../contract/errors.ts';
import { GraphBuilder } from '../../engine/graph/builder.ts';
import { homePaths, resolveHome } from '../../host/home.ts';
import { packageFolder, packageVersion } from '../../host/packages.ts';
import { action, globalOptions, printJson, printLine } from '../output.ts';
import { RENDERER_FOLDER } from './serve.ts';

/** What one look found, and what to do about it unless it is well. */
export interface Finding {
  status: 'ok' | 'warn' | 'fail';
  found: string;
  wayOut?: string;
}

type Check = (home: string) => Promise<Finding> | Finding;

const FREE_WARN_BYTES = 2e9;
const FREE_FAIL_BYTES = 1e8;
const NEEDED_NODE = 24;
/** The packaged app runs as JavaScript, and knows neither npm nor the tools of a clone. */
const CLONE = import.meta.url.endsWith('.ts');
const REINSTALL = CLONE
  ? 'install the dependencies again: `npm ci`'
  : 'install Carryover again: a part of the app is missing or damaged';

const CHECKS: Readonly<Record<string, Check>> = {
  node: checkNode,
  'onnxruntime-node': checkOnnx,
  sharp: checkSharp,
  'better-sqlite3': checkSqlite,
  home: checkHome,
  'free disk space': checkDisk,
  database: checkDatabase,
  renderer: checkRenderer,
  devices: checkDevices,
  ...(CLONE ? { chromium: checkChromium, electron: checkElectron } : {}),
};

/** `carryover doctor`: does everything that carryover needs work here? Exit code 1 if not. */
export function register(program: Command): void {
  program
    .command('doctor')
    .description('check that everything carryover needs works on this machine')
    .option('--json', 'print the findings as JSON')
    .action(
      action(async (_options: unknown, command: Command) => {
        const { home, json } = globalOptions(command);
        const findings = await examine(resolveHome(home));
        const ok = findings.every(({ status }) => status !== 'fail');
        if (json) printJson({ ok, checks: findings });
        else for (const finding of findings) printFinding(finding);
        if (!ok) process.exitCode = 1;
      }),
    );
}

/**
 * All checks of a home, in order. A check that throws has failed; native packages are loaded inside
 * their checks, so that a broken one is a finding and not the end.
 */
export async function examine(home: string): Promise<(Finding & { name: string })[]> {
  const findings = [];
  for (const [name, check] of Object.entries(CHECKS)) {
    try {
      findings.push({ name, ...(await check(home)) });
    } catch (error) {
      const found = error instanceof Error ? error.message : String(error);
      findings.push({ name, status: 'fail' as const, found, wayOut: REINSTALL });
    }
  }
  return findings;
}

function printFinding({ name, status, found, wayOut }: Finding & { name: string }): void {
  printLine(`${status.padEnd(4)}  ${name}: ${found}`);
  if (wayOut !== undefined) printLine(`      way out: ${wayOut}`);
}

function checkNode(): Finding {
  const found = `${process.version} (${process.platform} ${process.arch})`;
  if (Number.parseInt(process.versions.node, 10) >= NEEDED_NODE) return { status: 'ok', found };
  return { status: 'fail', found, wayOut: `install Node ${NEEDED_NODE} or newer` };
}

/** Adds two numbers on the runtime that trains: it loads, compiles and computes. */
async function checkOnnx(): Promise<Finding> {
  const { OnnxSession } = await import('../../engine/runtime/onnx/session.ts');
  const builder = new GraphBuilder();
  const sum = builder.add(builder.input('a', [2]), builder.input('b', [2]));
  const session = await OnnxSession.create(builder.finish([['sum', sum]]), { threads: 1 });
  const feeds = new Map([
    ['a', Float32Array.of(1, 2)],
    ['b', Float32Array.of(0.5, 0.25)],
  ]);
  const result = (await session.run(feeds)).get('sum');
  await session.close();
  const found = `${versionOf('onnxruntime-node')}, computes on the CPU`;
  if (result?.join() === '1.5,2.25') return { status: 'ok', found };
  throw new Error(`1 + 0.5, 2 + 0.25 came out as ${result?.join(', ')}`);
}

async function checkSharp(): Promise<Finding> {
  const { default: sharp } = await import('sharp');
  const create = { width: 2, height: 2, channels: 3, background: '#123456' } as const;
  const png = await sharp({ create }).png().toBuffer();
  const [red] = await sharp(png).raw().toBuffer();
  if (red !== 0x12) throw new Error(`a PNG of #123456 came back with red ${red}`);
  return { status: 'ok', found: `${versionOf('sharp')}, libvips ${sharp.versions.vips}` };
}

async function checkSqlite(): Promise<Finding> {
  const { default: Database } = await import('better-sqlite3');
  const db = new Database(':memory:');
  const version = db.prepare('SELECT sqlite_version()').pluck().get();
  db.close();
  return { status: 'ok', found: `${versionOf('better-sqlite3')}, SQLite ${String(version)}` };
}

async function checkHome(home: string): Promise<Finding> {
  const folder = nearestExisting(home);
  const exists = folder === home;
  if (await isWritableFolder(folder)) {
    return { status: 'ok', found: exists ? home : `${home} (made at first use)` };
  }
  const cause = statSync(folder).isDirectory() ? 'cannot be written' : 'is no folder';
  return {
    status: 'fail',
    found: exists ? `${home} ${cause}` : `${home} cannot be made: ${folder} ${cause}`,
    wayOut: `give yourself write access to ${folder}, or choose another home with --home DIR`,
  };
}

/** The path, or the nearest above it that is there. */
function nearestExisting(path: string): string {
  return existsSync(path) ? path : nearestExisting(dirname(path));
}

async function isWritableFolder(path: string): Promise<boolean> {
  try {
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

async function checkDisk(home: string): Promise<Finding> {
  const folder = nearestExisting(home);
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const found = `${(free / 1e9).toFixed(1)} GB at ${folder}`;
  if (free >= FREE_WARN_BYTES) return { status: 'ok', found };
  const wayOut = `free some space there, delete ${join(home, 'cache')}, or use --home DIR`;
  return { status: free < FREE_FAIL_BYTES ? 'fail' : 'warn', found, wayOut };
}

async function checkDatabase(home: string): Promise<Finding> {
  const path = homePaths(home).database;
  if (!existsSync(path)) return { status: 'ok', found: `${path} (made at first use)` };
  const wayOut = `put a copy from ${join(home, 'backups')} in its place and keep the damaged one`;
  let db: Database | undefined;
  try {
    const { default: Database } = await import('better-sqlite3');
    db = new Database(path, { readonly: true, fileMustExist: true });
    const verdict = String(db.pragma('quick_check(1)', { simple: true }));
    if (verdict !== 'ok') return { status: 'fail', found: `${path}: ${verdict}`, wayOut };
    return { status: 'ok', found: `${path}: ${await migrationState(db)}` };
  } catch (error) {
    const found = `${path}: ${(error as Error).message}`;
    const own = error instanceof CarryoverError ? error.detail?.wayOut : undefined;
    return { status: 'fail', found, wayOut: own ?? wayOut };
  } finally {
    db?.close();
  }
}

async function migrationState(db: Database): Promise<string> {
  const { MIGRATIONS_FOLDER } = await import('../../host/db/open.ts');
  const { pendingMigrations, readMigrations } = await import('../../host/db/migrate.ts');
  const pending = pendingMigrations(db, readMigrations(MIGRATIONS_FOLDER)).length;
  return pending === 0 ? 'in order' : `in order, to be migrated at next use (${pending})`;
}

function checkRenderer(): Finding {
  if (existsSync(join(RENDERER_FOLDER, 'index.html'))) return { status: 'ok', found: 'built' };
  const build = 'build it with `node scripts/build-renderer.mjs` (`npm start` does it by itself)';
  return { status: 'warn', found: 'not built', wayOut: CLONE ? build : REINSTALL };
}

function checkChromium(): Finding {
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const candidates = folders.flatMap((folder) => names.map((name) => join(folder, name)));
  const found = [process.env['CARRYOVER_CHROMIUM'] ?? '', ...candidates].find((path) =>
    existsSync(path),
  );
  if (found !== undefined) return { status: 'ok', found };
  const wayOut =
    'needed for the browser tests only: install Chromium or Chrome, or set CARRYOVER_CHROMIUM';
  return { status: 'warn', found: 'not found', wayOut };
}

function checkElectron(): Finding {
  const folder = packageFolder('electron');
  const wayOut =
    'the window needs it; without it `carryover serve --open` is the same workbench in a browser. ' +
    'To fetch it: `node node_modules/electron/install.js`';
  if (folder === null) return { status: 'warn', found: 'not installed', wayOut };
  const pathFile = join(folder, 'path.txt');
  const binary = existsSync(pathFile) && join(folder, 'dist', readFileSync(pathFile, 'utf8'));
  const version = versionOf('electron');
  if (binary && existsSync(binary)) return { status: 'ok', found: `${version}, ${binary}` };
  return { status: 'warn', found: `${version}, without its binary`, wayOut };
}

/** What is known of devices; testing them is `carryover devices`' work. */
async function checkDevices(home: string): Promise<Finding> {
  const { DEVICE_IDS } = await import('../../contract/devices.ts');
  const { readFindings } = await import('../../host/devices/store.ts');
  const { reports } = readFindings(homePaths(home));
  const known = DEVICE_IDS.flatMap((id) => reports[id] ?? []);
  if (known.length === 0) {
    return { status: 'ok', found: 'not tested yet; `carryover devices` tests them' };
  }
  const found = known.map(({ id, state }) => `${id} ${state}`).join(', ');
  if (known.every(({ state }) => state !== 'failed')) return { status: 'ok', found };
  return { status: 'warn', found, wayOut: '`carryover devices` says what failed, and why' };
}

function versionOf(name: string): string {
  const version = packageVersion(name);
  if (version === null) throw new Error(`the package ${name} is not installed`);
  return version;
}
