#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import pack from '../package.json' with { type: 'json' };
import * as agreement from './commands/agreement.ts';
import * as cache from './commands/cache.ts';
import * as cka from './commands/cka.ts';
import * as compare from './commands/compare.ts';
import * as datasets from './commands/datasets.ts';
import * as demo from './commands/demo.ts';
import * as devices from './commands/devices.ts';
import * as doctor from './commands/doctor.ts';
import * as importFolder from './commands/import.ts';
import * as map from './commands/map.ts';
import * as runs from './commands/runs.ts';
import * as samples from './commands/samples.ts';
import * as serve from './commands/serve.ts';
import * as setup from './commands/setup.ts';
import * as shuffle from './commands/shuffle.ts';
import * as study from './commands/study.ts';
import * as suspects from './commands/suspects.ts';
import * as trust from './commands/trust.ts';
import * as weights from './commands/weights.ts';
import * as zoo from './commands/zoo.ts';
import { printFailure } from './output.ts';

/** In the order in which help lists them. */
const COMMANDS = [
  demo,
  importFolder,
  datasets,
  trust,
  map,
  suspects,
  samples,
  study,
  runs,
  compare,
  agreement,
  cka,
  shuffle,
  weights,
  zoo,
  serve,
  cache,
  devices,
  setup,
  doctor,
];

/** The whole command line; usage errors throw `CommanderError`. */
function buildProgram(json: boolean): Command {
  const program = new Command('carryover')
    .description(pack.description)
    .version(pack.version, '--version', 'print the version')
    .option(
      '--home <folder>',
      'folder of the workbench (default: CARRYOVER_HOME, else your user data)',
    )
    .exitOverride()
    .configureOutput({ outputError: (text, write) => (json ? undefined : write(text)) })
    .showSuggestionAfterError();
  for (const { register } of COMMANDS) register(program);
  return program;
}

/** Help and version end with 0, other usage errors with 2. */
function endUsage(error: CommanderError, json: boolean): void {
  if (error.exitCode === 0) return;
  process.exitCode = 2;
  const message = error.message.replace(/^error: /, '');
  const failure = {
    code: 'bad-input' as const,
    message,
    detail: { wayOut: 'see `carryover --help` or `carryover help COMMAND`' },
  };
  if (json && error.code !== 'commander.help') printFailure(failure, true);
}

async function main(): Promise<void> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  const json = process.argv.includes('--json');
  try {
    await buildProgram(json).parseAsync();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    endUsage(error, json);
  }
}

await main();
