const KEY = Buffer.from('"segmentation"');
const [QUOTE, BACKSLASH, COLON] = [0x22, 0x5c, 0x3a];
const OPENING = new Set([0x5b, 0x7b]);
const CLOSING = new Set([0x5d, 0x7d]);

/**
 * The text of a JSON file with each `"segmentation"` given as `0`: outlines make up most of COCO's
 * files, and are not read. Works in place; what is no list or object after the key is left as it is.
 */
export function withoutShapes(bytes: Buffer): Buffer {
  let from = 0;
  let to = 0;
  for (let at = bytes.indexOf(KEY); at >= 0; at = bytes.indexOf(KEY, from)) {
    const start = skipBlank(bytes, at + KEY.length, COLON);
    const end = OPENING.has(bytes[start] ?? 0) ? endOfValue(bytes, start) : start;
    to += bytes.copy(bytes, to, from, start);
    if (end > start) to += bytes.write('0', to);
    from = end;
  }
  to += bytes.copy(bytes, to, from);
  return bytes.subarray(0, to);
}

/** Behind blanks and, among them, one `mark`. */
function skipBlank(bytes: Buffer, at: number, mark: number): number {
  while ((bytes[at] ?? 0x21) <= 0x20 || bytes[at] === mark) at++;
  return at;
}

/** Behind the list or object that begins at `start`; the end of the bytes where it has no end. */
function endOfValue(bytes: Buffer, start: number): number {
  let depth = 0;
  let quoted = false;
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (quoted) {
      if (byte === BACKSLASH) at++;
      else if (byte === QUOTE) quoted = false;
    } else if (byte === QUOTE) quoted = true;
    else if (OPENING.has(byte)) depth++;
    else if (CLOSING.has(byte) && --depth === 0) return at + 1;
  }
  return bytes.length;
}
