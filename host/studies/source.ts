import {
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Document,
  type ErrorCode,
  type Node,
  type Pair,
} from 'yaml';

/** A YAML text with the lines of its parts. */
export interface Source {
  /** The value as JSON would have it; undefined when the text is not valid YAML. */
  value: unknown;
  errors: { line: number; path: string; message: string }[];
  /** 1-based line of the deepest part of `path` that is in the text; of a key where it has one. */
  lineOf(path: readonly PropertyKey[]): number;
}

const FRIENDLY: Partial<Record<ErrorCode, string>> = {
  DUPLICATE_KEY: 'this key is here twice',
  MULTIPLE_DOCS: 'a second document starts here; one file holds one study',
};

/** Of a text that is quoted in a message, in characters. */
const LONGEST_QUOTE = 120;

/** What YAML 1.2 does not allow and a text does not have. */
const CONTROL = /(?![\t\n\r\u0085])\p{Cc}/u;

/** Reads YAML 1.2; duplicate keys and bad syntax come back as errors with their lines. */
export function readSource(text: string): Source {
  const control = text.search(CONTROL);
  if (control >= 0) return noText(text.slice(0, control).split(/\r\n?|\n/).length);
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    logLevel: 'error',
  });
  const lineAt = (offset: number) => Math.max(1, lines.linePos(offset).line);
  const errors = document.errors.map((error) => ({
    line: lineAt(error.pos[0]),
    path: quoted(pathAt(document.contents, error.pos[0]).join('.')),
    message: FRIENDLY[error.code] ?? quoted(`not valid YAML: ${error.message.split('\n')[0]}`),
  }));
  const value = errors.length === 0 ? plainValue(document, errors) : undefined;
  return {
    value,
    errors,
    lineOf: (path) => lineAt(offsetOf(document.contents, path)),
  };
}

function noText(line: number): Source {
  const message = 'a control character is here: this is no text file in UTF-8';
  return { value: undefined, errors: [{ line, path: '', message }], lineOf: () => line };
}

function quoted(text: string): string {
  const characters = [...text];
  if (characters.length <= LONGEST_QUOTE) return text;
  return `${characters.slice(0, LONGEST_QUOTE - 1).join('')}…`;
}

function plainValue(document: Document, errors: Source['errors']): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 }) as unknown;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    errors.push({ line: 1, path: '', message: `not valid YAML: ${message}` });
    return undefined;
  }
}

function keyText(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}

function offsetOf(root: Node | null, path: readonly PropertyKey[]): number {
  let node: unknown = root;
  let offset = startOf(root) ?? 0;
  for (const key of path) {
    const [next, start] = child(node, key);
    if (start === undefined) return offset;
    offset = start;
    node = next;
  }
  return offset;
}

/** The node under `key` and where its key (or, in a list, the item itself) begins. */
function child(node: unknown, key: PropertyKey): [unknown, number | undefined] {
  if (isMap(node)) {
    const pair = node.items.find((item) => keyText(item) === String(key));
    return [pair?.value, startOf(pair?.key)];
  }
  if (isSeq(node)) {
    const item = node.items[Number(key)];
    return [item, startOf(item)];
  }
  return [undefined, undefined];
}

/** Keys and indices that lead to the text at `offset`. */
function pathAt(node: unknown, offset: number): string[] {
  if (isAlias(node) || !holds(node, offset)) return [];
  if (isMap(node)) {
    for (const pair of node.items) {
      if (holds(pair.key, offset)) return [keyText(pair)];
      if (holds(pair.value, offset)) return [keyText(pair), ...pathAt(pair.value, offset)];
    }
  }
  if (isSeq(node)) {
    const index = node.items.findIndex((item) => holds(item, offset));
    if (index >= 0) return [String(index), ...pathAt(node.items[index], offset)];
  }
  return [];
}

function holds(node: unknown, offset: number): boolean {
  const range = isNode(node) ? node.range : undefined;
  return range !== undefined && range !== null && range[0] <= offset && offset <= range[1];
}
