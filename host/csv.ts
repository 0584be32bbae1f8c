export type Cell = string | number | null;

/** One line of CSV (RFC 4180) with its end; null is an empty field. */
export function csvLine(cells: readonly Cell[]): string {
  return `${cells.map(field).join(',')}\r\n`;
}

function field(value: Cell): string {
  const text = String(value ?? '');
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const PLAIN_NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/**
 * Text that no spreadsheet takes for a formula: what begins like one and is no plain number is put
 * behind an apostrophe (OWASP, "CSV Injection"). For tables that people open; not for files that
 * programs read back.
 */
export function asText(value: string): string {
  return /^[=+\-@\t\r]/.test(value) && !PLAIN_NUMBER.test(value) ? `'${value}` : value;
}
