import { chmod, mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import pack from '../../package.json' with { type: 'json' };
import { openWorkbench } from '../../host/workbench.ts';
import { carryover, endOf, startCarryover } from './cli-support.ts';
import { send, temporaryFolder } from './http-support.ts';

describe('usage', () => {
  test('--version and --help end well', async () => {
    expect(await carryover('--version')).toMatchObject({ code: 0, stdout: `${pack.version}\n` });
    const help = await carryover('--help');
    expect(help.code).toBe(0);
    for (const name of ['serve', 'doctor']) expect(help.stdout).toContain(name);
  });

  test('usage errors end with 2, name the word and the nearest one', async () => {
    const unknown = await carryover('docter');
    expect(unknown).toMatchObject({ code: 2, stdout: '' });
    expect(unknown.stderr).toContain('docter');
    expect(unknown.stderr).toContain('doctor');
    expect(await carryover('doctor', '--jsno')).toMatchObject({ code: 2, stdout: '' });
    for (const port of ['65536', '-1', '80x', '']) {
      const wrong = await carryover('serve', `--port=${port}`);
      expect(wrong.code, port).toBe(2);
      expect(wrong.stderr, port).toContain('65535');
    }
  });

  test('with --json a usage error is JSON on stdout, and nothing else is there', async () => {
    const wrong = await carryover('doctor', '--colour', 'red', '--json');
    expect(wrong).toMatchObject({ code: 2, stderr: '' });
    const { error } = JSON.parse(wrong.stdout) as { error: { code: string; message: string } };
    expect(error.code).toBe('bad-input');
    expect(error.message).toContain('--colour');
  });
});

describe('doctor', () => {
  test('--json on a fresh home finds everything that training needs, and makes nothing', async () => {
    const folder = await temporaryFolder();
    const home = join(folder, 'a home with "odd" name 🙂');
    const { code, stdout, stderr } = await carryover('doctor', '--json', '--home', home);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { ok, checks } = JSON.parse(stdout) as {
      ok: boolean;
      checks: { name: string; status: string; found: string; wayOut?: string }[];
    };
    expect(ok).toBe(true);
    const status = Object.fromEntries(checks.map((check) => [check.name, check.status]));
    expect(status).toMatchObject({
      node: 'ok',
      'onnxruntime-node': 'ok',
      sharp: 'ok',
      'better-sqlite3': 'ok',
      home: 'ok',
      database: 'ok',
    });
    expect(checks.find(({ name }) => name === 'home')?.found).toContain(home);
    expect(checks.map(({ name }) => name)).toContain('devices');
    for (const check of checks.filter(({ status }) => status !== 'ok')) {
      expect(check.wayOut, check.name).toBeTruthy();
    }
    expect(await readdir(folder)).toEqual([]);
  });

  test('finds a database in order, and names a damaged one', async () => {
    const home = await temporaryFolder();
    await openWorkbench({ home, command: 'test' }).close();
    const sound = await carryover('doctor', '--home', home);
    expect(sound.code).toBe(0);
    expect(sound.stdout).toMatch(/ok +database: .*in order/);

    await writeFile(join(home, 'carryover.db'), 'this is no database, whatever its name is');
    const damaged = await carryover('doctor', '--home', home);
    expect(damaged.code).toBe(1);
    expect(damaged.stdout).toMatch(/fail +database: .*carryover\.db/);
    expect(damaged.stdout).toMatch(/way out: put a copy from .*backups in its place/);
  });

  test('sends nobody to the backups whose database is of a newer version', async () => {
    const home = await temporaryFolder();
    const workbench = openWorkbench({ home, command: 'test' });
    workbench.context.db.pragma('user_version = 9999');
    await workbench.close();
    const newer = await carryover('doctor', '--home', home);
    expect(newer.code).toBe(1);
    expect(newer.stdout).toMatch(
      /fail +database: .*newer Carryover.*\n +way out: update Carryover/,
    );
    expect(newer.stdout).not.toContain('backups');
  });

  test('names what keeps a home from being made', async () => {
    const file = join(await temporaryFolder(), 'file');
    await writeFile(file, '');
    const home = join(file, 'a', 'home');
    const { code, stdout } = await carryover('doctor', '--home', home);
    expect(code).toBe(1);
    expect(stdout).toContain(`fail  home: ${home} cannot be made: ${file} is no folder\n`);
    expect(stdout).toContain(`way out: give yourself write access to ${file}`);
  });
});

/** Waits for the line that `serve` prints; ends the process with the test. */
async function served(...args: string[]) {
  const child = startCarryover('serve', ...args);
  const ended = endOf(child);
  onTestFinished(() => void child.kill('SIGKILL'));
  const line = await new Promise<string>((resolve, reject) => {
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
      if (text.endsWith('\n') && (!text.startsWith('{') || text.endsWith('}\n'))) resolve(text);
    });
    void ended.then(({ code, stderr }) => reject(new Error(`ended with ${code}: ${stderr}`)));
  });
  return { child, ended, line };
}

describe('serve', () => {
  test('prints its address on one line, answers there and ends cleanly on each signal', async () => {
    const home = await temporaryFolder();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      const { child, ended, line } = await served('--home', home);
      expect(line).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{43}\n$/);
      const { port, pathname, search } = new URL(line);
      expect((await send(Number(port), pathname)).status).toBe(401);
      expect((await send(Number(port), pathname + search)).status).toBe(302);
      child.kill(signal);
      expect(await ended).toMatchObject({ code: 0, signal: null, stdout: line, stderr: '' });
      await expect(send(Number(port), '/')).rejects.toThrow();
    }
    expect(await readdir(home)).not.toContain('lock.json');
  });

  test('a second signal, as a terminal and npm both send one, does not cut the end short', async () => {
    const home = await temporaryFolder();
    const { child, ended } = await served('--home', home);
    child.kill('SIGINT');
    child.kill('SIGINT');
    await ended;
    const left = await readdir(home);
    expect(left).toContain('carryover.db');
    for (const name of ['lock.json', 'carryover.db-wal']) expect(left).not.toContain(name);
  });

  test('ends also while a listener holds its event stream open', async () => {
    const { child, ended, line } = await served('--home', await temporaryFolder(), '--json');
    const { url, port, origin } = JSON.parse(line) as { url: string; port: number; origin: string };
    expect(url.startsWith(origin)).toBe(true);
    const entered = await send(port, `/${new URL(url).search}`);
    const cookie = entered.headers['set-cookie']![0]!.split(';')[0]!;
    const response = await fetch(`${origin}/api/events`, { headers: { cookie } });
    child.kill('SIGTERM');
    expect((await ended).code).toBe(0);
    await response.text().catch(() => undefined);
  });

  test('says which port is taken, and by --json as a failure', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void other.close());
    const port = String((other.address() as AddressInfo).port);
    const home = await temporaryFolder();
    const plain = await carryover('serve', '--port', port, '--home', home);
    expect(plain).toMatchObject({ code: 1, stdout: '' });
    expect(plain.stderr).toMatch(new RegExp(`^error: .*${port}.*\nway out: .*--port`));
    const json = await carryover('serve', '--port', port, '--home', home, '--json');
    expect(json).toMatchObject({ code: 1, stderr: '' });
    expect(JSON.parse(json.stdout)).toMatchObject({ error: { code: 'busy' } });
  });

  test('a second one on the same home is refused, naming the first', async () => {
    const home = await temporaryFolder();
    const { child } = await served('--home', home);
    const second = await carryover('serve', '--home', home);
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(String(child.pid));
    expect(second.stderr).toContain('way out:');
  });

  test('a home that cannot be made is named', async () => {
    const folder = await temporaryFolder();
    const file = join(folder, 'file');
    await writeFile(file, '');
    const refused = await carryover('serve', '--home', join(file, 'home'));
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(join(file, 'home'));
  });
});

describe.runIf(process.platform === 'linux')('opening a browser (Linux)', () => {
  async function withTools(): Promise<{ folder: string; tools: string }> {
    const folder = await temporaryFolder();
    const tools = join(folder, 'bin');
    await mkdir(tools);
    vi.stubEnv('PATH', tools);
    onTestFinished(() => void vi.unstubAllEnvs());
    return { folder, tools };
  }

  test('--open hands the address to the opener', async () => {
    const { folder, tools } = await withTools();
    const seen = join(folder, 'seen');
    await writeFile(join(tools, 'xdg-open'), `#!/bin/sh\nprintf '%s\\n' "$1" > '${seen}'\n`);
    await chmod(join(tools, 'xdg-open'), 0o755);
    const { line } = await served('--open', '--home', join(folder, 'home'));
    await vi.waitFor(async () => expect(await readFile(seen, 'utf8')).toBe(line), 30_000);
  });

  test('where there is no opener, the address is there and the reason is told', async () => {
    const { folder } = await withTools();
    const { child, ended, line } = await served('--open', '--home', join(folder, 'home'));
    expect(line).toContain('token=');
    await new Promise<void>((resolve) => child.stderr?.once('data', () => resolve()));
    child.kill('SIGTERM');
    expect((await ended).stderr).toContain('no browser could be opened');
  });
});
