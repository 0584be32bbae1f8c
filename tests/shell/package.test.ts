import { execFileSync } from 'node:child_process';
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { findPackageJSON } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import asar from '@electron/asar';
import fuses from '@electron/fuses';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { root } from './clone.ts';
import { ShellUnderTest } from './launch.ts';
import { packApp, type Packed } from './pack.ts';

// The stand-in for Electron's binary is laid out as on Linux.
describe.runIf(process.platform === 'linux')('the packaged app', () => {
  let packed: Packed;
  let archive: string;
  let unpacked: string;
  let shipped: string[];

  beforeAll(() => {
    packed = packApp(); // electron-builder checks the yml against its own schema first
    archive = join(packed.resources, 'app.asar');
    unpacked = `${archive}.unpacked`;
    shipped = globSync('**/*', { cwd: unpacked, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(unpacked.length + 1));
  }, 300_000);

  afterAll(() => packed.remove());

  test('holds the shell alone in the archive; everything the host reads lies beside it', () => {
    const inside = asar
      .listPackage(archive, { isPack: false })
      .map((name) => name.slice(1))
      .filter((name) => isPacked(asar.statFile(archive, name)));
    expect(inside.sort()).toEqual([
      'dist/electron/main.mjs',
      'dist/electron/preload.cjs',
      'package.json',
    ]);
    for (const needed of ['package.json', 'migrations/0001-init.sql', 'dist/renderer/index.html']) {
      expect(shipped).toContain(join('dist', 'app', needed));
    }
  });

  test('has the release fuses', async () => {
    const wire = await fuses.getCurrentFuseWire(packed.binary);
    const on = (fuse: fuses.FuseV1Options): boolean => String(wire[fuse]) === '49';
    const { FuseV1Options: Fuse } = fuses;
    expect({
      runAsNode: on(Fuse.RunAsNode),
      nodeOptions: on(Fuse.EnableNodeOptionsEnvironmentVariable),
      nodeCliInspect: on(Fuse.EnableNodeCliInspectArguments),
      onlyLoadAppFromAsar: on(Fuse.OnlyLoadAppFromAsar),
      asarIntegrity: on(Fuse.EnableEmbeddedAsarIntegrityValidation),
      cookieEncryption: on(Fuse.EnableCookieEncryption),
      fileProtocol: on(Fuse.GrantFileProtocolExtraPrivileges),
    }).toEqual({
      runAsNode: false,
      nodeOptions: false,
      nodeCliInspect: false,
      onlyLoadAppFromAsar: true,
      asarIntegrity: true,
      cookieEncryption: true,
      fileProtocol: false,
    });
  });

  test('contains every module and package that the host imports', () => {
    const missing: string[] = [];
    for (const file of globSync('dist/app/**/*.js', { cwd: unpacked })) {
      if (file.startsWith(join('dist', 'app', 'dist'))) continue; // the renderer, already bundled
      const path = join(unpacked, file);
      for (const name of importsOf(path)) {
        if (!isShipped(name, path, unpacked)) missing.push(`${file} imports ${name}`);
      }
    }
    expect(missing).toEqual([]);
  });

  test('contains no development package, test, source or foreign binary', () => {
    const packages = shipped.filter((file) =>
      /node_modules\/(@[^/]+\/)?[^/]+\/package.json$/.test(file),
    );
    expect(packages.length).toBeGreaterThan(20);
    const { run, all } = lockedPackages();
    const identities = packages.map((file) => identityOf(join(unpacked, file)));
    expect(identities.filter((identity) => all.has(identity) && !run.has(identity))).toEqual([]);
    expect(shipped.filter((file) => /\.(ts|svelte|map)$/.test(file))).toEqual([]);
    expect(shipped.filter((file) => /(^|\/)(tests?|__tests__)\//.test(file))).toEqual([]);
    const native = shipped.filter((file) => /\.(node|dll|dylib|so(\.[\d.]+)?)$/.test(file));
    const own = new RegExp(`${process.platform}[-/]${process.arch}`);
    expect(native.filter((file) => !own.test(file))).toEqual([]);
    expect(native.length).toBeGreaterThanOrEqual(5);
  });

  test('runs its host with the Node binary that it ships', () => {
    const home = mkdtempSync(join(tmpdir(), 'carryover-home-'));
    const host = (...args: string[]): string =>
      execFileSync(
        join(packed.resources, 'node', 'node'),
        [join(unpacked, 'dist', 'app', 'cli', 'carryover.js'), '--home', home, ...args],
        { encoding: 'utf8', cwd: home },
      );
    const pack: { version: string } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    expect(host('--version').trim()).toBe(pack.version);
    const { checks }: { checks: { name: string; status: string }[] } = JSON.parse(
      host('doctor', '--json'),
    );
    const well = checks.filter(({ status }) => status === 'ok').map(({ name }) => name);
    for (const name of ['onnxruntime-node', 'sharp', 'better-sqlite3', 'database', 'renderer']) {
      expect(well).toContain(name);
    }
    rmSync(home, { recursive: true });
  });

  test('can load the TensorFlow.js runtime, whose packages load one another at run time', () => {
    const runtime = join(unpacked, 'dist', 'app', 'engine', 'runtime', 'tfjs', 'runtime.js');
    const script = `await import(${JSON.stringify(pathToFileURL(runtime).href)}); console.log('loaded')`;
    const said = execFileSync(
      join(packed.resources, 'node', 'node'),
      ['--input-type=module', '-e', script],
      { encoding: 'utf8', cwd: unpacked },
    );
    expect(said).toContain('loaded');
  });

  test('opens the workbench in its window', async () => {
    const app = mkdtempSync(join(tmpdir(), 'carryover-asar-'));
    for (const name of ['package.json', 'dist/electron/preload.cjs']) {
      mkdirSync(dirname(join(app, name)), { recursive: true });
      writeFileSync(join(app, name), asar.extractFile(archive, name));
    }
    const shell = new ShellUnderTest({
      appPath: app,
      env: {
        DOUBLE_PACKAGED: '1',
        DOUBLE_RESOURCES: packed.resources,
        CARRYOVER_HOME: join(app, 'home'),
      },
    });
    const page = await shell.page();
    await page.getByRole('link', { name: 'Studies' }).click();
    await page.waitForURL(/#\/studies/);
    expect(existsSync(join(app, 'home', 'carryover.db'))).toBe(true);
    await shell.close();
    rmSync(app, { recursive: true });
  });
});

interface Lock {
  packages: Record<string, { version: string; dev?: boolean }>;
}

/** `name@version` of every locked package, and of those that are not for development only. */
function lockedPackages(): { run: Set<string>; all: Set<string> } {
  const lock: Lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const entries = Object.entries(lock.packages).map(([path, { version, dev }]) => ({
    identity: `${path.split('node_modules/').at(-1)}@${version}`,
    dev: dev === true,
  }));
  return {
    run: new Set(entries.filter(({ dev }) => !dev).map(({ identity }) => identity)),
    all: new Set(entries.map(({ identity }) => identity)),
  };
}

function identityOf(packageFile: string): string {
  const pack: { name: string; version: string } = JSON.parse(readFileSync(packageFile, 'utf8'));
  return `${pack.name}@${pack.version}`;
}

function isPacked(entry: object): boolean {
  return !('files' in entry) && !('unpacked' in entry && entry.unpacked === true);
}

function importsOf(path: string): string[] {
  const { importedFiles } = ts.preProcessFile(readFileSync(path, 'utf8'), true, true);
  return importedFiles.map(({ fileName }) => fileName).filter((name) => !name.startsWith('node:'));
}

function isShipped(name: string, from: string, unpacked: string): boolean {
  if (name.startsWith('.')) return existsSync(resolve(dirname(from), name));
  try {
    return findPackageJSON(name, from)?.startsWith(unpacked + sep) ?? false;
  } catch {
    return false;
  }
}
