/** Groups of images as numbers, for measurements that resample groups whole. */
import type { StudyImage } from '../data.ts';

/** The group number of every image, by first appearance. */
export function groupNumbers(images: readonly Pick<StudyImage, 'group'>[]): number[] {
  const numbers = new Map<string, number>();
  return images.map(({ group }) => {
    const number = numbers.get(group) ?? numbers.size;
    numbers.set(group, number);
    return number;
  });
}
