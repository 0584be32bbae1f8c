/** The double's line to the test that started it: what happened goes up, what to do comes down. */

/** A call that a person would answer or see: a dialog, the browser, the file manager. */
export interface ShellCall {
  name: string;
  argument: unknown;
}

export type FromDouble =
  | { type: 'ready'; endpoint: string }
  | { type: 'call'; call: ShellCall }
  | { type: 'ask'; id: number; call: ShellCall }
  | { type: 'result'; id: number; value: unknown }
  | { type: 'failure'; id: number; message: string };

export type ToDouble =
  | { type: 'answer'; id: number; value: unknown }
  | { type: 'evaluate'; id: number; source: string; argument: unknown };

let lastId = 0;
const asked = new Map<number, (value: unknown) => void>();

export function send(message: FromDouble): void {
  process.send?.(message);
}

/** Reports a call that needs no answer. */
export function report(name: string, argument: unknown): void {
  send({ type: 'call', call: { name, argument } });
}

/** Puts a call to the test and waits for its answer, as Electron waits for the user. */
export function ask<T>(name: string, argument: unknown): Promise<T> {
  lastId += 1;
  send({ type: 'ask', id: lastId, call: { name, argument } });
  return new Promise((resolve) => asked.set(lastId, (value) => resolve(value as T)));
}

/** Serves the test: answers to dialogs, and code to run beside the app as `_electron` does. */
export function serveTest(electron: unknown): void {
  process.once('disconnect', () => process.exit(1)); // the test is gone: nothing stays behind
  process.on('message', (message: ToDouble) => {
    if (message.type === 'answer') {
      asked.get(message.id)?.(message.value);
      asked.delete(message.id);
      return;
    }
    void evaluate(electron, message);
  });
}

async function evaluate(
  electron: unknown,
  { id, source, argument }: ToDouble & { type: 'evaluate' },
): Promise<void> {
  try {
    const run = new Function(`return (${source})`)() as (e: unknown, a: unknown) => unknown;
    send({ type: 'result', id, value: await run(electron, argument) });
  } catch (error) {
    send({ type: 'failure', id, message: String(error) });
  }
}
