import type { Handlers } from '../contract/api.ts';
import { boundCache } from './cache.ts';
import type { HostContext } from './context.ts';
import { requireReady } from './devices/ready.ts';
import { readSettings, writeSettings } from './settings.ts';

/** A device that does not pass its self-test is refused, with its numbers. */
export function settingsHandlers(
  context: HostContext,
): Pick<Handlers, 'settings.get' | 'settings.set'> {
  return {
    'settings.get': () => readSettings(context.db),
    'settings.set': async (given) => {
      if (given.device !== undefined && given.device !== 'auto') {
        await requireReady(context.home, given.device);
      }
      writeSettings(context.db, given);
      if (given.cacheMegabytes !== undefined) await boundCache(context);
      return readSettings(context.db);
    },
  };
}
