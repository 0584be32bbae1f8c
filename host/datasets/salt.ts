import type { Database } from 'better-sqlite3';
import { randomBytes } from 'node:crypto';

const KEY = 'identifier-salt';
const BYTES = 32;

/**
 * The secret of this home that identifiers of people are hashed with before anything is stored;
 * 32 random bytes in hex, made on first use. Without a home (null), or where it may only be read
 * and has none yet, one for just this once.
 */
export function identifierSalt(db: Database | null): string {
  const kept = db
    ?.prepare<[string], string>('SELECT value_json FROM settings WHERE key = ?')
    .pluck()
    .get(KEY);
  if (kept !== undefined) return JSON.parse(kept) as string;
  const salt = randomBytes(BYTES).toString('hex');
  if (db !== null && !db.readonly) {
    db.prepare('INSERT INTO settings (key, value_json) VALUES (?, ?)').run(
      KEY,
      JSON.stringify(salt),
    );
  }
  return salt;
}
