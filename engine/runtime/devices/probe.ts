import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { DeviceId } from '../../../contract/devices.ts';
import type { Failure } from '../../../contract/errors.ts';
import type { Finding } from './self-test.ts';

const PROGRAM = fileURLToPath(new URL('probe-main.ts', import.meta.url));
const STDERR_CHARACTERS = 4_000;

/** From the probing process, by IPC. */
export type ProbeMessage = { type: 'phase'; phase: string } | Tested | Refused;

interface Tested extends Finding {
  type: 'tested';
  description: string;
}

interface Refused {
  type: 'refused';
  failure: Failure;
}

/** What became of a try of a device. */
export type ProbeOutcome = (
  | Tested
  | Refused
  | { type: 'died'; code: number | null; signal: string | null }
  | { type: 'timeout'; seconds: number }
) & {
  /** The end of what the process and the libraries in it wrote. */
  stderr: string;
};

export interface ProbeOptions {
  /** After this the process is killed and counts as hanging. */
  timeoutSeconds: number;
  signal?: AbortSignal | undefined;
  onPhase?: (phase: string) => void;
  /** Instead of ours: a program that speaks `ProbeMessage`. */
  program?: string;
}

/**
 * Tries a device in a process of its own and tells how that went; a crash is an outcome like any.
 * Rejects only when aborted, or where no process can be started.
 */
export function probeDevice(device: DeviceId, options: ProbeOptions): Promise<ProbeOutcome> {
  const { timeoutSeconds, signal, onPhase, program = PROGRAM } = options;
  const child = fork(program, [device], {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    killSignal: 'SIGKILL',
    ...(signal && { signal }),
  });
  const stderr = tailOf(child);
  const heard: { last: Tested | Refused | null; late: boolean } = { last: null, late: false };
  const timer = setTimeout(() => {
    heard.late = true;
    child.kill('SIGKILL');
  }, timeoutSeconds * 1000);
  child.on('message', (message: ProbeMessage) => {
    if (message.type === 'phase') onPhase?.(message.phase);
    else heard.last = message;
  });
  return new Promise((resolve, reject) => {
    child.once('error', (error) => {
      clearTimeout(timer);
      reject(signal?.aborted ? (signal.reason as Error) : error);
    });
    child.once('close', (code, killed) => {
      clearTimeout(timer);
      const rest = { stderr: stderr() };
      if (heard.last) resolve({ ...heard.last, ...rest });
      else if (heard.late) resolve({ type: 'timeout', seconds: timeoutSeconds, ...rest });
      else resolve({ type: 'died', code, signal: killed, ...rest });
    });
  });
}

function tailOf({ stderr }: ChildProcess): () => string {
  let text = '';
  stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    text = (text + chunk).slice(-STDERR_CHARACTERS);
  });
  return () => text.trim();
}
