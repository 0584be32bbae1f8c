import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { CarryoverError } from '../../contract/errors.ts';
import type { TrainerCommand, TrainerMessage } from '../trainer/protocol.ts';

/** The program that trains one run. */
export const TRAINER = fileURLToPath(new URL('../trainer/main.ts', import.meta.url));

const STDERR_LINES = 12;
const CANCEL_MILLISECONDS = 5_000;
const WAY_OUT = 'start the study again: it goes on from the last finished epoch';

export type Done = Extract<TrainerMessage, { type: 'done' }>;
type Report = Exclude<TrainerMessage, { type: 'done' | 'paused' | 'failed' }>;

/** A training under way in its own process. */
export interface Training {
  /**
   * `done` with what was written, or null when it was paused or cancelled. Throws what the
   * trainer said, or how its process ended.
   */
  ended: Promise<Done | null>;
  /** Ends it after its journal is written; it can be started again. */
  pause(): void;
  /** Ends it at once; the journal stays valid. */
  cancel(): void;
}

/**
 * Starts the trainer on a job file. A throw of `onReport` (a full disk, say) ends the training
 * with that error.
 */
export function startTraining(
  jobFile: string,
  onReport: (message: Report) => void,
  program = TRAINER,
): Training {
  const child = fork(program, [jobFile], {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const state: State = { stopping: false, final: null, thrown: null, stderr: stderrTail(child) };
  child.on('message', (message) => {
    hear(message as TrainerMessage, state, onReport, child);
  });
  const ended = new Promise<Done | null>((resolve, reject) => {
    child.once('error', (error) => reject(startError(error, program)));
    child.once('close', (code, signal) => settle(state, code, signal, resolve, reject));
  });
  const send = (command: TrainerCommand): void => {
    state.stopping = true;
    if (child.connected) child.send(command, () => undefined);
  };
  return {
    ended,
    pause: () => send({ type: 'pause' }),
    cancel() {
      send({ type: 'cancel' });
      const kill = setTimeout(() => child.kill('SIGKILL'), CANCEL_MILLISECONDS);
      child.once('close', () => clearTimeout(kill));
    },
  };
}

interface State {
  stopping: boolean;
  final: Exclude<TrainerMessage, Report> | null;
  thrown: { error: unknown } | null;
  stderr: () => string;
}

function hear(
  message: TrainerMessage,
  state: State,
  onReport: (message: Report) => void,
  child: ChildProcess,
): void {
  if (message.type === 'done' || message.type === 'paused' || message.type === 'failed') {
    state.final = message;
    return;
  }
  if (state.thrown) return;
  try {
    onReport(message);
  } catch (error) {
    state.thrown = { error };
    child.kill('SIGKILL');
  }
}

function settle(
  { final, thrown, stopping, stderr }: State,
  code: number | null,
  signal: NodeJS.Signals | null,
  resolve: (done: Done | null) => void,
  reject: (error: unknown) => void,
): void {
  if (thrown) reject(thrown.error);
  else if (final?.type === 'done') resolve(final);
  else if (final?.type === 'failed') {
    const { code: kind, message, detail } = final.failure;
    reject(new CarryoverError(kind, message, detail));
  } else if (final?.type === 'paused' || stopping) resolve(null);
  else reject(deathOf(code, signal, stderr()));
}

function deathOf(code: number | null, signal: string | null, stderr: string): CarryoverError {
  const how = signal === null ? `ended with ${code}` : `was killed by ${signal}`;
  const memory = signal === 'SIGKILL' ? ' (out of memory?)' : '';
  const said = stderr === '' ? '' : `; its last words:\n${stderr}`;
  return new CarryoverError('internal', `the training process ${how}${memory}${said}`, {
    wayOut: WAY_OUT,
  });
}

function startError(error: Error, program: string): CarryoverError {
  const message = `the training process could not be started: ${error.message}`;
  return new CarryoverError('io', message, { file: program, wayOut: WAY_OUT }, error);
}

/** The last lines that a child writes to stderr. */
function stderrTail(child: ChildProcess): () => string {
  let text = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    text = (text + chunk).slice(-8_000);
  });
  return () => text.trim().split('\n').slice(-STDERR_LINES).join('\n');
}
