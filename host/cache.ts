import type { Database } from 'better-sqlite3';
import type { CacheInfo, Handlers } from '../contract/api.ts';
import type { HostContext } from './context.ts';
import { readSettings } from './settings.ts';
import { clearDecoded, decodedFolder, decodedUse, makeRoom } from './trainer/decoded-cache.ts';

/** The bound on decoded pixels in bytes, from the settings (megabytes of 10^6 bytes). */
export function cacheBound(db: Database): number {
  return readSettings(db).cacheMegabytes * 1e6;
}

/** Brings the decoded pixels within their bound, when it has been lowered. */
export async function boundCache({ db, home }: HostContext): Promise<void> {
  await makeRoom(decodedFolder(home.cache), 0, cacheBound(db));
}

/** What running trainings use is not removed by `cache.clear`; it counts in the answer. */
export function cacheHandlers(context: HostContext): Pick<Handlers, 'cache.info' | 'cache.clear'> {
  const folder = decodedFolder(context.home.cache);
  const info = async (): Promise<CacheInfo> => ({
    folder,
    ...(await decodedUse(folder)),
    limitBytes: cacheBound(context.db),
  });
  return {
    'cache.info': info,
    'cache.clear': async () => {
      await clearDecoded(folder);
      return info();
    },
  };
}
