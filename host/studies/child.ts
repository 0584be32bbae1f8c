import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { CarryoverError } from '../../contract/errors.ts';
import type { Failure } from '../../contract/errors.ts';

/** The programs that train one run, and search for a learning rate. */
export const TRAINER = programOf('main.ts');
export const RATE_FINDER = programOf('rate-main.ts');

const STDERR_LINES = 12;
const STDERR_CHARACTERS = 8_000;
const STOP_MILLISECONDS = 5_000;

/** What people are told of a program when it dies. */
export interface ToldProgram {
  /** "the <name> was killed". */
  name: string;
  wayOut: string;
}
const TRAINING: ToldProgram = {
  name: 'training process',
  wayOut: 'start the study again: it goes on from the last finished epoch',
};

function programOf(name: string): string {
  return fileURLToPath(new URL(`../trainer/${name}`, import.meta.url));
}

type Message = { type: string };
type FailedMessage = { type: 'failed'; failure: Failure };

/** A process that does one job and says how it goes. */
export interface Child<M extends Message, C> {
  /**
   * The `done` message, or null when it was asked to stop and did. Throws what it said as its
   * failure, what `hear` threw, or how it died, with its last lines on stderr.
   */
  ended: Promise<Extract<M, { type: 'done' }> | null>;
  /** Asks it to stop by a command of its own; from then on its end is no failure. */
  stop(command: C): void;
  /** Asks it, and makes it stop when it has not after a while. */
  stopNow(command: C): void;
  /** Ends it without asking. */
  kill(): void;
}

/** Starts a program on a job file. `hear` gets all that it says on the way. */
export function startChild<M extends Message, C extends object>(
  program: string,
  jobFile: string,
  hear: (message: Exclude<M, { type: 'done' | 'failed' }>) => void,
  told: ToldProgram = TRAINING,
): Child<M, C> {
  const child = fork(program, [jobFile], {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const state: State<M> = { stopping: false, done: null, thrown: null };
  const stderr = stderrTail(child);
  child.on('message', (message) => listen(message as M, state, hear, child));
  const ended = new Promise<Extract<M, { type: 'done' }> | null>((resolve, reject) => {
    child.once('error', (error) => reject(startError(error, program, told)));
    child.once('close', (code, signal) => {
      if (state.thrown) reject(state.thrown.error);
      else if (state.done ?? state.stopping) resolve(state.done);
      else reject(deathOf(code, signal, stderr(), told));
    });
  });
  const stop = (command: C): void => {
    state.stopping = true;
    if (child.connected) child.send(command, () => undefined);
  };
  return {
    ended,
    stop,
    stopNow(command) {
      stop(command);
      const kill = setTimeout(() => child.kill('SIGKILL'), STOP_MILLISECONDS);
      child.once('close', () => clearTimeout(kill));
    },
    kill() {
      state.stopping = true;
      child.kill('SIGKILL');
    },
  };
}

interface State<M extends Message> {
  stopping: boolean;
  done: Extract<M, { type: 'done' }> | null;
  thrown: { error: unknown } | null;
}

function listen<M extends Message>(
  message: M,
  state: State<M>,
  hear: (message: Exclude<M, { type: 'done' | 'failed' }>) => void,
  child: ChildProcess,
): void {
  if (state.thrown) return;
  if (message.type === 'done') {
    state.done = message as Extract<M, { type: 'done' }>;
  } else if (message.type === 'failed') {
    const { code, message: text, detail } = (message as unknown as FailedMessage).failure;
    state.thrown = { error: new CarryoverError(code, text, detail) };
  } else {
    try {
      hear(message as Exclude<M, { type: 'done' | 'failed' }>);
    } catch (error) {
      state.thrown = { error };
      child.kill('SIGKILL');
    }
  }
}

function deathOf(
  code: number | null,
  signal: string | null,
  stderr: string,
  { name, wayOut }: ToldProgram,
): CarryoverError {
  const how = signal === null ? `ended with ${code}` : `was killed by ${signal}`;
  const memory = signal === 'SIGKILL' ? ' (out of memory?)' : '';
  const said = stderr === '' ? '' : `; its last words:\n${stderr}`;
  return new CarryoverError('internal', `the ${name} ${how}${memory}${said}`, { wayOut });
}

function startError(error: Error, program: string, { name, wayOut }: ToldProgram): CarryoverError {
  const message = `the ${name} could not be started: ${error.message}`;
  return new CarryoverError('io', message, { file: program, wayOut }, error);
}

/** The last lines that a child writes to stderr. */
function stderrTail(child: ChildProcess): () => string {
  let text = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    text = (text + chunk).slice(-STDERR_CHARACTERS);
  });
  return () => text.trim().split('\n').slice(-STDERR_LINES).join('\n');
}
