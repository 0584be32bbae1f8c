import type { ByteSource } from './bytes.ts';
import { isTar } from './pytorch-tar.ts';

/** Containers of weights that can be told apart by their first bytes. */
export type Container =
  'safetensors' | 'zip' | 'pytorch-legacy' | 'tar' | 'hdf5' | 'json' | 'protobuf';

const SIGNATURES: [Container, Uint8Array][] = [
  ['zip', Uint8Array.of(0x50, 0x4b, 0x03, 0x04)],
  ['hdf5', Uint8Array.of(0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a)],
];
/** The magic number of torch.save as a pickle of protocol 2 or later has it: LONG1, 10 bytes. */
const TORCH_NUMBER = '\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19';
/** Files that people take for weights: where, what stands there, and what it means. */
const STRANGERS: [number, string, string][] = [
  [0, 'version https://git-lfs', 'a pointer of Git LFS; fetch the file itself with "git lfs pull"'],
  [0, '<', 'a web page or XML; the download may have led to a page instead of the file'],
  [0, '\x1f\x8b', 'a gzip archive; unpack it first'],
  [0, '\x93NUMPY', 'an array of NumPy, not the weights of a network'],
  [0, '\x80', 'a Python pickle that torch.save did not write'],
  [0, 'GGUF', 'a GGUF model of a language model'],
  [4, 'TFL3', 'a TensorFlow Lite model'],
];

/** What the file's first bytes say that it is; null where they say nothing known. */
export function sniff(source: ByteSource): Container | null {
  const head = source.read(0, Math.min(source.size, 32));
  for (const [container, signature] of SIGNATURES) {
    if (signature.every((byte, i) => head[i] === byte)) return container;
  }
  if (head[0] === 0x80 && latin(head).includes(TORCH_NUMBER)) return 'pytorch-legacy';
  // 8 bytes of a length far below 2^40, then the JSON header.
  if (head[8] === 0x7b && head.subarray(5, 8).every((byte) => byte === 0)) return 'safetensors';
  if (isTar(source)) return 'tar';
  if (/^(?:\xef\xbb\xbf)?\s*\{/.test(latin(head))) return 'json';
  // ModelProto begins with ir_version (field 1, a small integer).
  if (head[0] === 0x08 && head[1]! < 0x40) return 'protobuf';
  return null;
}

/** What an unknown file seems to be, in words. */
export function seenIn(source: ByteSource): string {
  if (source.size === 0) return 'an empty file';
  const head = source.read(0, Math.min(source.size, 64));
  const known = STRANGERS.find(([at, text]) => latin(head).startsWith(text, at));
  if (known) return known[2];
  const bytes = Array.from(head.subarray(0, 8), (byte) => byte.toString(16).padStart(2, '0'));
  return `a file that begins with the bytes ${bytes.join(' ')}`;
}

function latin(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}
