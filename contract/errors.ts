/** The closed set of failure kinds that cross every boundary (HTTP, CLI exit, job row). */
export const ERROR_CODES = [
  'bad-input', // the user gave something that cannot be used; the message says what and the way out
  'not-found',
  'conflict', // it exists already, or is in a state that does not allow this
  'busy', // another process or job holds what is needed
  'io', // the file system refused; detail.file names it
  'disk-full',
  'unsupported', // legal, but not possible on this machine or in this version
  'cancelled',
  'internal', // our bug
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** Where a failure lies: the file, the value, the line, as far as they are known. */
export interface FailureDetail {
  file?: string;
  value?: string;
  /** 1-based line in `file`. */
  line?: number;
  /** Ids of the images it is about. */
  images?: number[];
  /** What the user can do about it. */
  wayOut?: string;
}

/** A failure as data, as it crosses HTTP and as `--json` prints it. */
export interface Failure {
  code: ErrorCode;
  message: string;
  detail?: FailureDetail;
}

/** The only error class that carryover throws on purpose. */
export class CarryoverError extends Error {
  readonly code: ErrorCode;
  readonly detail: FailureDetail;

  constructor(code: ErrorCode, message: string, detail: FailureDetail = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'CarryoverError';
    this.code = code;
    this.detail = detail;
  }

  toFailure(): Failure {
    return { code: this.code, message: this.message, detail: this.detail };
  }
}

/** Any thrown value as a `Failure`; what is not ours becomes `internal`. */
export function toFailure(thrown: unknown): Failure {
  if (thrown instanceof CarryoverError) return thrown.toFailure();
  return { code: 'internal', message: thrown instanceof Error ? thrown.message : String(thrown) };
}
