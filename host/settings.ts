import type { Database } from 'better-sqlite3';
import type { RequestBody, Settings } from '../contract/api.ts';
import { settings as schema } from '../contract/api.ts';

/** What holds until the user says otherwise. */
export const DEFAULT_SETTINGS: Settings = { device: 'auto', cacheMegabytes: 20_000 };

/** The settings of a home. A stored value that this version does not know counts as not set. */
export function readSettings(db: Database): Settings {
  const rows = db
    .prepare<[], { key: string; value_json: string }>('SELECT key, value_json FROM settings')
    .all();
  const stored = rows.map(
    ({ key, value_json }) => [key, JSON.parse(value_json) as unknown] as const,
  );
  const known = stored.filter(
    ([key, value]) => schema.partial().safeParse({ [key]: value }).success,
  );
  return { ...DEFAULT_SETTINGS, ...Object.fromEntries(known) };
}

/** Stores what is given; the rest stays. */
export function writeSettings(db: Database, given: RequestBody<'settings.set'>): void {
  const write = db.prepare<[string, string]>(
    `INSERT INTO settings (key, value_json) VALUES (?, ?)
     ON CONFLICT (key) DO UPDATE SET value_json = excluded.value_json`,
  );
  for (const [key, value] of Object.entries(given)) write.run(key, JSON.stringify(value));
}
