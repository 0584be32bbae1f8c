import { describe, expect, it } from 'vitest';
import { codePoints, emojiOf } from '../../../host/samples/emoji.ts';

const entry = {
  hexcode: '1F98A',
  group: 'animals-nature',
  subgroups: 'animal-mammal',
  annotation: 'fox',
  skintone: '',
};

describe('code points', () => {
  it('are compared without case and presentation selector', () => {
    expect(codePoints('2764-FE0F')).toBe('2764');
    expect(codePoints('1F468-200D-2695-FE0F')).toBe('1f468-200d-2695');
  });
});

describe('the list of emoji', () => {
  const classes = { mammal: ['animal-mammal'], hand: ['hands'] };

  it('has those of the classes, by code, with names as slugs', () => {
    const entries = [
      { ...entry, hexcode: '1F98A', annotation: 'fox' },
      { ...entry, hexcode: '1F91D', subgroups: 'hands', annotation: 'Handshake: “d’été”' },
      { ...entry, hexcode: '1F600', subgroups: 'face-smiling' },
    ];
    expect(emojiOf(entries, classes)).toEqual([
      { code: '1f91d', label: 'hand', slug: 'handshake-dete' },
      { code: '1f98a', label: 'mammal', slug: 'fox' },
    ]);
  });

  it('has no skin tones, no extras and none twice', () => {
    const entries = [
      entry,
      { ...entry, hexcode: '1F98A-FE0F' },
      { ...entry, hexcode: '1F44B-1F3FB', skintone: '1' },
      { ...entry, hexcode: 'E000', group: 'extras-openmoji' },
    ];
    expect(emojiOf(entries, classes).map(({ code }) => code)).toEqual(['1f98a']);
  });
});
