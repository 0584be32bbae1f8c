import type { Answer, RequestBody, RequestName, Responses } from '../../../contract/api.ts';
import { CarryoverError, toFailure, type Failure } from '../../../contract/errors.ts';

/**
 * Calls the host.
 * @throws CarryoverError with the host's failure, or `io` when the host cannot be reached.
 */
export async function call<N extends RequestName>(
  name: N,
  body: RequestBody<N>,
): Promise<Responses[N]> {
  const response = await post(`/api/${name}`, JSON.stringify(body));
  const answer = await read<Responses[N]>(response, name);
  if (answer.ok) return answer.value;
  throw new CarryoverError(answer.error.code, answer.error.message, answer.error.detail);
}

async function post(url: string, body: string): Promise<Response> {
  try {
    return await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
  } catch (error) {
    const wayOut = 'Check that Carryover is still running, then reload this page.';
    throw new CarryoverError('io', 'The Carryover host does not answer.', { wayOut }, error);
  }
}

async function read<T>(response: Response, name: string): Promise<Answer<T>> {
  try {
    return (await response.json()) as Answer<T>;
  } catch (error) {
    const message = `The host answered ${name} with status ${response.status} and no JSON.`;
    throw new CarryoverError('internal', message, {}, error);
  }
}

/** Runs `work`; what it throws comes back as a failure instead. */
export async function attempt(work: () => Promise<unknown>): Promise<Failure | null> {
  try {
    await work();
    return null;
  } catch (error) {
    return toFailure(error);
  }
}

export const media = {
  thumbnail: (id: number, width: 64 | 128 | 256 | 512) => `/media/images/${id}?w=${width}`,
  original: (id: number) => `/media/images/${id}/original`,
  input: (id: number, runId: string) =>
    `/media/images/${id}/input?run=${encodeURIComponent(runId)}`,
  shuffled: (id: number, size: number, block: number | 'pixel', seed: number) =>
    `/media/images/${id}/shuffled?size=${size}&block=${block}&seed=${seed}`,
};
