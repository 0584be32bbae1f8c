import type { Command } from 'commander';
import { action, globalOptions } from '../output.ts';

/** `carryover samples` and `carryover samples build NAME`. */
export function register(program: Command): void {
  const samples = program
    .command('samples')
    .description('list the sample image sets, or build one from packages')
    .option('--folder <dir>', "folder of the built sets (default: the home's)")
    .option('--json', 'print JSON')
    .action(
      action(async (_options: unknown, command: Command) => {
        const { list } = await import('./samples-actions.ts');
        await list(globalOptions(command));
      }),
    );
  samples
    .command('build <name>')
    .description('build a sample set and import it, as far as that is not done yet')
    .option('--folder <dir>', 'build it in this folder and import nothing')
    .option('--json', 'print JSON')
    .action(
      action(async (name: string, _options: unknown, command: Command) => {
        const { build } = await import('./samples-actions.ts');
        await build(name, globalOptions(command));
      }),
    );
}
