/** The names that archives may have in them. Nothing is unpacked to disk; a name is still not trusted. */

/** A name as it is used: '/' between parts, without `./` before it. */
export type EntryName = { name: string } | { name: string; refused: string };

/** What a name in an archive is to us; `refused`: why its entry is not taken. */
export function entryName(raw: string): EntryName {
  const name = raw.replace(/^(\.\/+)+/, '');
  const refused = refusal(name);
  return refused === null ? { name } : { name: printable(raw), refused };
}

function refusal(name: string): string | null {
  if (name === '') return 'an entry without a name';
  if (name.includes('\0')) return 'its name holds a zero byte';
  if (name.includes('\uFFFD')) return 'its name is not valid UTF-8';
  if (name.includes('\\')) return 'its name holds a backslash';
  if (name.startsWith('/')) return 'its name is an absolute path';
  if (/^[a-z]:/i.test(name)) return 'its name begins with a drive letter';
  const parts = name.split('/');
  if (parts.includes('..')) return 'its name leads out of the archive (..)';
  if (parts.some((part) => part === '' || part === '.')) return 'its name has an empty part';
  return null;
}

function printable(name: string): string {
  return name === '' ? '(no name)' : name.replaceAll('\0', '\uFFFD');
}

/** Tells names that are one on some file system: by Unicode's NFC, whatever their case. */
export class NamesSeen {
  readonly #names = new Map<string, string>();

  /** Why `name` cannot stand beside those before it, or null. */
  add(name: string): string | null {
    const folded = name.normalize('NFC').toLowerCase();
    const before = this.#names.get(folded);
    if (before === undefined) {
      this.#names.set(folded, name);
      return null;
    }
    return before === name
      ? 'its name is in the archive twice; the first is taken'
      : `its name is that of “${before}” but for case or accents; that one is taken`;
  }
}
