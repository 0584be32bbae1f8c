import type { Command } from 'commander';
import type { DeviceId } from '../../contract/devices.ts';
import { CarryoverError } from '../../contract/errors.ts';
import type { GlobalOptions } from '../output.ts';
import { action, globalOptions, printJson, printLine } from '../output.ts';

type Install = (say: (text: string) => void, signal: AbortSignal) => Promise<string[]>;

/** `carryover setup cuda` and `carryover setup tensorflow-gpu`: libraries that npm does not bring. */
export function register(program: Command): void {
  const setup = program
    .command('setup')
    .description('download GPU libraries that npm does not bring');
  part(setup, 'cuda', 'cuda', "onnxruntime's CUDA libraries, from NuGet", cuda);
  part(
    setup,
    'tensorflow-gpu',
    'tfjs-gpu',
    'TensorFlow for tfjs-node-gpu, from Google',
    tensorflow,
  );
}

function part(
  setup: Command,
  name: string,
  device: DeviceId,
  description: string,
  install: Install,
): void {
  setup
    .command(name)
    .description(description)
    .option('--json', 'print the files and the self-test as JSON')
    .action(
      action((_options: unknown, command: Command) => run(device, install, globalOptions(command))),
    );
}

async function run(device: DeviceId, install: Install, options: GlobalOptions): Promise<void> {
  const { unsupportedHere } = await import('../../host/devices/explain.ts');
  const { testDevices } = await import('../../host/devices/test.ts');
  const { createHome, resolveHome } = await import('../../host/home.ts');
  const unsupported = unsupportedHere(device, process.platform, process.arch);
  if (unsupported) {
    const wayOut = unsupported.wayOut ?? '';
    throw new CarryoverError('unsupported', unsupported.reason ?? '', { wayOut });
  }
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort(new CarryoverError('cancelled', 'cancelled'));
  process.once('SIGINT', interrupt);
  try {
    const { signal } = interrupted;
    const files = await install((text) => process.stderr.write(`${text}\n`), signal);
    const home = createHome(resolveHome(options.home));
    const report = (await testDevices(home, [device], { signal })).reports[device];
    if (options.json) {
      printJson({ files, report });
      return;
    }
    for (const file of files) printLine(`installed ${file}`);
    printLine(`${report?.title}: ${report?.state}${report?.reason ? `, ${report.reason}` : ''}`);
    if (report?.wayOut) printLine(`way out: ${report.wayOut}`);
  } finally {
    process.off('SIGINT', interrupt);
  }
}

async function cuda(say: (text: string) => void, signal: AbortSignal): Promise<string[]> {
  const { onnxruntimeFolder } = await import('../../host/devices/libraries.ts');
  const { cudaSource, installCuda } = await import('../../host/devices/setup-cuda.ts');
  const folder = onnxruntimeFolder();
  if (folder === null) throw new CarryoverError('unsupported', 'onnxruntime-node is not installed');
  return installCuda(folder, cudaSource(), { signal, say });
}

async function tensorflow(say: (text: string) => void, signal: AbortSignal): Promise<string[]> {
  const found = await import('../../host/devices/setup-tensorflow.ts');
  return found.installTensorflow(found.tensorflowFolder(), { signal, say });
}
