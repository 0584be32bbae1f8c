import pack from '../package.json' with { type: 'json' };
import type { AppInfo, Handlers } from '../contract/api.ts';
import type { HomePaths, HostContext } from './context.ts';
import { analysesHandlers } from './analyses/handlers.ts';
import { cacheHandlers } from './cache.ts';
import { checkpointHandlers } from './checkpoints/handlers.ts';
import { datasetHandlers } from './datasets/handlers.ts';
import { databaseError } from './db/errors.ts';
import type { OpenedDatabase } from './db/open.ts';
import { openDatabase } from './db/open.ts';
import { deviceHandlers } from './devices/handlers.ts';
import { deviceInUse } from './devices/use.ts';
import { createEventBus } from './events.ts';
import { createHome, resolveHome } from './home.ts';
import { createJobRunner } from './jobs/runner.ts';
import { jobTable } from './jobs/table.ts';
import { shuffleHandlers } from './media/shuffles.ts';
import { sampleHandlers } from './samples/handlers.ts';
import { settingsHandlers } from './settings-handlers.ts';
import { studyHandlers } from './studies/handlers.ts';
import { trustHandlers } from './trust/handlers.ts';
import { zooHandlers } from './zoo/handlers.ts';

export interface WorkbenchOptions {
  /** `--home`; absent: CARRYOVER_HOME, else the system's folder for user data. */
  home?: string;
  /** For commands that only read: works beside a running workbench. */
  readonly?: boolean;
  /** What another process is told that finds the home in use: `serve`, `import` ... */
  command: string;
}

export interface Workbench {
  context: HostContext;
  handlers: Handlers;
  /** Ends running jobs (they become `interrupted`), closes the database, frees the home. */
  close(): Promise<void>;
}

/**
 * Opens a home (creating what is missing) and assembles the services on it. Throws CarryoverError:
 * `busy` when another process works there, and what `openDatabase` throws.
 */
export function openWorkbench(options: WorkbenchOptions): Workbench {
  const home = createHome(resolveHome(options.home));
  const { command, readonly = false } = options;
  const opened = openDatabase(home.database, { command, readonly });
  try {
    return assemble(home, opened);
  } catch (error) {
    opened.close();
    throw databaseError(error, home.database);
  }
}

function assemble(home: HomePaths, { db, close }: OpenedDatabase): Workbench {
  const events = createEventBus();
  const table = jobTable(db);
  if (!db.readonly) table.interruptUnfinished();
  const jobs = createJobRunner(table, events, home.database);
  const context: HostContext = { db, home, events, jobs };
  return {
    context,
    handlers: withDatabaseErrors(handlersOf(context), home.database),
    async close() {
      await jobs.shutdown();
      close();
    },
  };
}

function handlersOf(context: HostContext): Handlers {
  return {
    ...analysesHandlers(context),
    ...cacheHandlers(context),
    ...datasetHandlers(context),
    ...sampleHandlers(context),
    ...shuffleHandlers(),
    ...trustHandlers(context),
    ...studyHandlers(context),
    ...deviceHandlers(context),
    ...settingsHandlers(context),
    ...checkpointHandlers(context),
    ...zooHandlers(context),
    'app.info': () => appInfo(context),
    'jobs.list': () => context.jobs.list(),
    'jobs.cancel': ({ id }) => context.jobs.cancel(id),
  };
}

function appInfo(context: HostContext): AppInfo {
  const { home } = context;
  return {
    version: pack.version,
    home: home.root,
    device: deviceInUse(context),
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
  };
}

/** What SQLite throws inside a handler reaches the caller as a CarryoverError where the user can act. */
function withDatabaseErrors(handlers: Handlers, database: string): Handlers {
  const wrap =
    (handler: (body: never) => unknown) =>
    async (body: never): Promise<unknown> => {
      try {
        return await handler(body);
      } catch (error) {
        throw databaseError(error, database);
      }
    };
  const wrapped = Object.entries(handlers).map(([name, handler]) => [name, wrap(handler)]);
  return Object.fromEntries(wrapped) as Handlers;
}
