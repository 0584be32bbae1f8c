import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { HomePaths } from './context.ts';
import { fileError } from './files.ts';

/** Where the person works: what `resolveHome` looks at. */
export interface Surroundings {
  env: Record<string, string | undefined>;
  platform: NodeJS.Platform;
  /** The user's own folder. */
  user: string;
}

function here(): Surroundings {
  return { env: process.env, platform: process.platform, user: homedir() };
}

/** Absolute path of the workbench home: `given` (--home), else CARRYOVER_HOME, else the system's folder for user data. */
export function resolveHome(given?: string, at: Surroundings = here()): string {
  const chosen = given || at.env['CARRYOVER_HOME'];
  return chosen ? resolve(chosen) : userDataFolder(at);
}

function userDataFolder({ env, platform, user }: Surroundings): string {
  if (platform === 'darwin') return join(user, 'Library', 'Application Support', 'Carryover');
  if (platform === 'win32') {
    return join(env['APPDATA'] || join(user, 'AppData', 'Roaming'), 'Carryover');
  }
  return join(env['XDG_DATA_HOME'] || join(user, '.local', 'share'), 'carryover');
}

/** The folders of a home; nothing is created. */
export function homePaths(root: string): HomePaths {
  return {
    root,
    database: join(root, 'carryover.db'),
    runs: join(root, 'runs'),
    checkpoints: join(root, 'checkpoints'),
    cache: join(root, 'cache'),
    samples: join(root, 'samples'),
    analyses: join(root, 'analyses'),
    rates: join(root, 'rates'),
    reports: join(root, 'reports'),
  };
}

/** Creates what is missing of a home; its root is for the user alone. Throws CarryoverError `io` or `disk-full`. */
export function createHome(root: string): HomePaths {
  const paths = homePaths(root);
  const folders = [
    paths.runs,
    paths.checkpoints,
    paths.cache,
    paths.samples,
    paths.analyses,
    paths.rates,
    paths.reports,
  ];
  try {
    mkdirSync(root, { recursive: true, mode: 0o700 });
    for (const folder of folders) mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw fileError(error, root, 'create the home folder');
  }
  return paths;
}
