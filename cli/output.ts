import type { Command } from 'commander';
import { toFailure } from '../contract/errors.ts';
import type { Failure } from '../contract/errors.ts';
import type { Progress } from '../contract/jobs.ts';

/** Options that every command has from the program or by convention. */
export interface GlobalOptions {
  /** `--home DIR`; absent: the default home. */
  home?: string;
  /** `--json`: one JSON value on stdout, nothing else there. */
  json?: boolean;
}

/** One column of a table: its heading and the cell of a row. Numbers are aligned right. */
export interface Column<Row> {
  title: string;
  value: (row: Row) => string | number | null;
}

/** Options of a command together with the program's own. */
export function globalOptions(command: Command): GlobalOptions {
  return command.optsWithGlobals<GlobalOptions>();
}

/**
 * Wraps the work of a command: a throw is printed by `printFailure` and sets exit code 1.
 * Commander passes the command itself as the last argument.
 */
export function action<A extends unknown[]>(
  work: (...args: A) => unknown,
): (...args: A) => Promise<void> {
  return async (...args) => {
    const command = args.at(-1) as Command;
    try {
      await work(...args);
    } catch (error) {
      printFailure(toFailure(error), globalOptions(command).json === true);
      process.exitCode = 1;
    }
  };
}

/** `error: …` and `way out: …` on stderr, or `{ "error": Failure }` on stdout for `--json`. */
export function printFailure(failure: Failure, json: boolean): void {
  if (json) {
    printJson({ error: failure });
    return;
  }
  process.stderr.write(`error: ${printable(failure.message)}\n`);
  const wayOut = failure.detail?.wayOut;
  if (wayOut !== undefined) process.stderr.write(`way out: ${printable(wayOut)}\n`);
}

/** A value as indented JSON on stdout. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

/** Plain text on stdout, one line. */
export function printLine(text: string): void {
  process.stdout.write(`${printable(text)}\n`);
}

/** Rows as aligned plain text with a heading line on stdout. */
export function printTable<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): void {
  process.stdout.write(formatTable(rows, columns));
}

/**
 * The text that `printTable` prints; two spaces between columns, null cells as `-`, control
 * characters (from file names) escaped, so that a row stays a line.
 */
export function formatTable<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const formatted = columns.map(({ title, value }) => {
    const values = rows.map(value);
    const right = values.length > 0 && values.every((cell) => typeof cell !== 'string');
    const cells = [title, ...values.map((cell) => String(cell ?? '-'))].map(escaped);
    const width = Math.max(...cells.map(columnsOf));
    return cells.map((cell) => {
      const padding = ' '.repeat(width - columnsOf(cell));
      return right ? padding + cell : cell + padding;
    });
  });
  const lines = Array.from({ length: rows.length + 1 }, (_, line) =>
    formatted
      .map((cells) => cells[line])
      .join('  ')
      .trimEnd(),
  );
  return `${lines.join('\n')}\n`;
}

function columnsOf(text: string): number {
  return [...text].length;
}

const ESCAPES: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function escaped(text: string): string {
  return text.replace(
    /\p{Cc}/gu,
    (each) => ESCAPES[each] ?? `\\x${each.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

/** Text that cannot steer a terminal: control characters (from file names) become `?`. */
export function printable(text: string): string {
  return text.replace(/(?!\n)\p{Cc}/gu, '?');
}

/** Shows progress on stderr; `end` leaves the cursor on a fresh line. */
export interface ProgressLine {
  show(progress: Progress): void;
  end(): void;
}

const SPARSE_MS = 10_000;

/** On a terminal one line is rewritten; elsewhere a line per phase and then one each ten seconds. */
export function progressLine(stream: NodeJS.WriteStream = process.stderr): ProgressLine {
  let phase = '';
  let printedAt = -Infinity;
  let open = false;
  return {
    show(progress) {
      const text = printable(formatProgress(progress));
      if (stream.isTTY) {
        stream.write(`\r\u001b[2K${text.slice(0, Math.max(20, stream.columns - 1))}`);
        open = true;
        return;
      }
      const now = performance.now();
      if (progress.phase === phase && now - printedAt < SPARSE_MS) return;
      phase = progress.phase;
      printedAt = now;
      stream.write(`${text}\n`);
    },
    end() {
      if (open) stream.write('\n');
      open = false;
    },
  };
}

/** `phase  42 %  130 images/s  1 min 5 s left`, as far as the numbers are known. */
export function formatProgress(progress: Progress): string {
  const { phase, done, total, unit, rate, secondsLeft } = progress;
  const share =
    total === null || total === 0 ? `${done} ${unit}` : `${Math.floor((100 * done) / total)} %`;
  const parts = [phase, share];
  if (rate !== null) parts.push(`${formatRate(rate)} ${unit}/s`);
  if (secondsLeft !== null) parts.push(`${formatDuration(secondsLeft)} left`);
  return parts.join('  ');
}

function formatRate(rate: number): string {
  return rate < 10 ? rate.toPrecision(2) : String(Math.round(rate));
}

/** Seconds as `45 s`, `3 min 20 s` or `2 h 5 min`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
