import { spawn } from 'node:child_process';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CarryoverError } from '../../contract/errors.ts';
import { systemCode } from '../files.ts';

/**
 * FetchPackage for packages of Debian: by `apt-get download` and `dpkg-deb`, neither of which needs
 * root. Returns the folder that the package is unpacked in.
 * Throws CarryoverError `unsupported` where there is no apt, `io` when it fails.
 */
export async function debianPackage(
  name: string,
  folder: string,
  signal: AbortSignal,
): Promise<string> {
  const complaints = await run('apt-get', ['download', '-qq', name], { name, folder, signal });
  const archive = (await readdir(folder)).find((file) => file.endsWith('.deb'));
  if (archive === undefined) throw notFetched(name, complaints);
  const root = join(folder, 'root');
  await mkdir(root);
  const damage = await run('dpkg-deb', ['-x', archive, root], { name, folder, signal });
  if ((await readdir(root)).length === 0) throw notFetched(name, damage);
  return root;
}

function notFetched(name: string, complaints: string): CarryoverError {
  const lines = complaints.split('\n').filter((line) => /^E: |error/i.test(line));
  const reason = lines.slice(0, 2).join(' ') || 'it gave no reason';
  return new CarryoverError('io', `apt could not fetch the Debian package ${name}: ${reason}`, {
    value: name,
    wayOut: 'connect to the internet, run `apt-get update` as root once, and try again',
  });
}

/** Runs a program of Debian and returns what it wrote on stderr, whatever its exit code. */
function run(
  program: string,
  args: string[],
  { name, folder, signal }: { name: string; folder: string; signal: AbortSignal },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, LC_ALL: 'C' };
    const child = spawn(program, args, {
      cwd: folder,
      signal,
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let complaints = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaints = (complaints + text).slice(-10_000);
    });
    child.on('error', (error) => {
      reject(systemCode(error) === 'ENOENT' ? noDebian(name, program, error) : error);
    });
    child.on('close', () => resolve(complaints));
  });
}

function noDebian(name: string, program: string, cause: Error): CarryoverError {
  const message = `${name} is a package of Debian, and ${program} is not on this machine`;
  const wayOut =
    'build the set on Debian or Ubuntu (a container will do) with `carryover samples build ' +
    'NAME --folder DIR`, bring the folder here and import it';
  return new CarryoverError('unsupported', message, { value: program, wayOut }, cause);
}
