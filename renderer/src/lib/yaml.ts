export type YamlValue =
  string | number | boolean | null | readonly YamlValue[] | { readonly [key: string]: YamlValue };

const WIDTH = 84;
const RESERVED = /^(true|false|null|yes|no|on|off|y|n|nan|inf)$/i;

/**
 * A value as YAML 1.2 text for people: block style on the outside, short shallow maps and lists on
 * one line. Strings are quoted only where YAML needs it. Numbers must be finite.
 */
export function toYaml(value: { readonly [key: string]: YamlValue }): string {
  return block(value, 0);
}

function block(map: { readonly [key: string]: YamlValue }, indent: number): string {
  const pad = ' '.repeat(indent);
  return Object.entries(map)
    .map(([key, value]) => `${pad}${scalar(key)}:${entry(value, indent, scalar(key).length + 2)}`)
    .join('');
}

function entry(value: YamlValue, indent: number, used: number): string {
  const line = flow(value);
  if (depth(value) <= 2 && indent + used + line.length <= WIDTH) return ` ${line}\n`;
  if (isMap(value)) return `\n${block(value, indent + 2)}`;
  if (!isList(value)) return ` ${line}\n`;
  const pad = ' '.repeat(indent + 2);
  return `\n${value.map((item) => `${pad}- ${flow(item)}\n`).join('')}`;
}

function flow(value: YamlValue): string {
  if (isList(value)) return `[${value.map(flow).join(', ')}]`;
  if (!isMap(value)) return scalar(value);
  const inner = Object.entries(value).map(([key, item]) => `${scalar(key)}: ${flow(item)}`);
  return inner.length === 0 ? '{}' : `{ ${inner.join(', ')} }`;
}

function scalar(value: string | number | boolean | null): string {
  if (typeof value !== 'string') return String(value);
  const plain = /^[A-Za-z_][\w ./@-]*$/.test(value) && !value.endsWith(' ');
  return plain && !RESERVED.test(value) ? value : JSON.stringify(value);
}

function isList(value: YamlValue): value is readonly YamlValue[] {
  return Array.isArray(value);
}

function isMap(value: YamlValue): value is { readonly [key: string]: YamlValue } {
  return typeof value === 'object' && value !== null && !isList(value);
}

function depth(value: YamlValue): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depth));
}
