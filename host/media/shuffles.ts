import type { Handlers } from '../../contract/api.ts';
import { shufflePermutation } from '../../engine/transforms/shuffle.ts';

const CHANNELS = 3;

/** What the window says beside the preview of a shuffle. */
export function shuffleHandlers(): Pick<Handlers, 'shuffles.describe'> {
  return {
    'shuffles.describe': ({ size, shuffle, seed }) => ({
      identity: shufflePermutation(shuffle, size, CHANNELS, seed)?.identity ?? true,
    }),
  };
}
