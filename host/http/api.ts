import type { Answer, Handlers, RequestBody, RequestName } from '../../contract/api.ts';
import { requests } from '../../contract/api.ts';
import type { ErrorCode } from '../../contract/errors.ts';
import { CarryoverError, toFailure } from '../../contract/errors.ts';

/** HTTP status of a failure. */
export const STATUS = {
  'bad-input': 400,
  'not-found': 404,
  conflict: 409,
  busy: 423,
  io: 500,
  'disk-full': 507,
  unsupported: 501,
  cancelled: 409,
  internal: 500,
} as const satisfies Record<ErrorCode, number>;

export type FailureStatus = (typeof STATUS)[ErrorCode];

/** A JSON body as the request it claims to be. Throws `not-found` or `bad-input` naming the key. */
export function parseRequest<N extends RequestName>(name: N, text: string): RequestBody<N>;
export function parseRequest(name: string, text: string): RequestBody<RequestName>;
export function parseRequest(name: string, text: string): RequestBody<RequestName> {
  if (!Object.hasOwn(requests, name)) {
    throw new CarryoverError('not-found', `there is no request ${name}`, { value: name });
  }
  const checked = requests[name as RequestName].safeParse(parseJson(name, text));
  if (checked.success) return checked.data;
  const issues = checked.error.issues.map(
    ({ path, message }) => `${path.map(String).join('.') || 'the body'}: ${message}`,
  );
  throw new CarryoverError('bad-input', `${name}: ${issues.join('; ')}`, {
    value: issues[0] ?? name,
    wayOut: 'send the keys and types that contract/api.ts names',
  });
}

function parseJson(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = (error as SyntaxError).message;
    throw new CarryoverError('bad-input', `${name}: the body is not JSON: ${reason}`);
  }
}

/** Validates and runs one request. Never throws; our own bugs are printed to stderr. */
export async function answer(
  handlers: Handlers,
  name: string,
  text: string,
): Promise<Answer<unknown>> {
  try {
    const body = parseRequest(name, text);
    const handler = handlers[name as RequestName] as (body: unknown) => unknown;
    return { ok: true, value: await handler(body) };
  } catch (error) {
    reportBug(name, error);
    return { ok: false, error: toFailure(error) };
  }
}

/** Prints what is not a CarryoverError with its stack: somebody has to see it. */
export function reportBug(where: string, error: unknown): void {
  if (error instanceof CarryoverError && error.code !== 'internal') return;
  console.error(`${where}:`, error);
}
