import type { Picture } from '../../../../engine/analysis/visual/pictures.ts';
import { enlarged } from '../../../../engine/analysis/visual/pictures.ts';
import type { Lab } from '../lab.ts';

/** Pixels along a side that a picture is enlarged to, at most. */
const LEGIBLE = 200;

/** Writes a picture, enlarged by a whole number; gives its file's name back. */
export function drawn(lab: Lab, name: string, picture: Picture): Promise<string> {
  const factor = Math.max(1, Math.floor(LEGIBLE / picture.width));
  const { pixels, ...size } = enlarged(picture, factor);
  return lab.picture(name, pixels, size);
}
