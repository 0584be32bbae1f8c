import type { ByteCursor } from './cursor.ts';
import { unusable } from './failure.ts';
import { PickleMachine, type PickleRules } from './pickle-machine.ts';
import { OPERATIONS } from './pickle-operations.ts';

const STOP = 0x2e;
/** More than any file of weights needs, so that a hostile one cannot fill the memory. */
const MAX_OPERATIONS = 2_000_000;

/**
 * Reads one pickle (protocol 2 and later, and what Python 2 wrote) and leaves the cursor behind it.
 * Nothing is imported or run: names of classes and functions stay names, calls that `rules` does
 * not know become `PickleObject`s.
 * @throws CarryoverError `bad-input`, whatever the bytes are
 */
export function unpickle(cursor: ByteCursor, rules: PickleRules): unknown {
  const machine = new PickleMachine(cursor, rules);
  try {
    for (let step = 0; step < MAX_OPERATIONS; step++) {
      const code = cursor.byte();
      if (code === STOP) return machine.pop();
      const operation = OPERATIONS.get(code);
      if (!operation)
        throw new RangeError(`there is no pickle operation ${code} of protocols 2 to 4`);
      operation(machine);
    }
    throw new RangeError('it has too many operations for a file of weights');
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) {
      throw unusable(cursor.source.file, 'PyTorch file', `its pickle is damaged: ${error.message}`);
    }
    throw error;
  }
}
