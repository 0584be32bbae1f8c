import { CarryoverError } from '../../contract/errors.ts';

/** The failure of a file that is not what its format asks for. `kind`: "safetensors file" ... */
export function unusable(
  file: string,
  kind: string,
  what: string,
  wayOut = 'fetch or save the file anew: it is damaged, or the program that wrote it is',
): CarryoverError {
  return new CarryoverError('bad-input', `${file} is not a usable ${kind}: ${what}`, {
    file,
    wayOut,
  });
}
