/** What an archive holds. Entries that are not taken are listed with the reason. */
export interface ArchiveIndex {
  kind: 'zip' | 'tar';
  /** By name, in the order of the archive. */
  entries: ReadonlyMap<string, ArchiveEntry>;
  skipped: { path: string; reason: string }[];
}

export interface ArchiveEntry {
  /** Unpacked. */
  bytes: number;
  /** zip: of the entry's own header. tar: of its bytes. */
  start: number;
  /** Bytes in the archive. */
  packed: number;
  deflated: boolean;
  /** CRC-32 of the unpacked bytes; null where the format has none. */
  crc: number | null;
}

/** More entries are refused: their list alone would take too much memory. */
export const MAX_ENTRIES = 2_000_000;
