import { describe, expect, it } from 'vitest';
import {
  compileNaming,
  largestOfEachSize,
  spreadOverFamilies,
} from '../../../host/samples/naming.ts';
import recipe from '../../../resources/samples/icon-domains.json' with { type: 'json' };

const naming = compileNaming(recipe);

describe('an icon’s name', () => {
  it.each([
    ['bell-16-filled', 'bell'],
    ['outline-alarm-clock-24px', 'alarm-clock'],
    ['camera-01', 'camera'],
    ['heart-bold-duotone', 'heart'],
    ['heart-broken', 'heart-broken'],
    ['bell-off', 'bell-off'],
  ])('%s without style words is %s', (icon, bare) => {
    expect(naming.bare(icon)).toBe(bare);
  });

  it('names a concept by any of its words, in any style', () => {
    expect(naming.conceptOf('ph', 'house-bold')).toBe('house');
    expect(naming.conceptOf('tabler', 'home-filled')).toBe('house');
    expect(naming.conceptOf('twemoji', 'computer-mouse')).toBe('mouse');
  });

  it('names no concept when it says something more or something else', () => {
    expect(naming.conceptOf('ph', 'bell-slash')).toBeNull();
    expect(naming.conceptOf('ph', 'bold')).toBeNull();
    expect(naming.conceptOf('ph', 'xylophone')).toBeNull();
  });

  it('is left out where a set means another thing by it', () => {
    expect(naming.conceptOf('ph', 'mouse')).toBe('mouse');
    expect(naming.conceptOf('twemoji', 'mouse')).toBeNull();
    expect(naming.conceptOf('icon-park', 'alarm')).toBeNull();
  });

  it('is looked up where a set’s names are phrases, and is of no other concept', () => {
    expect(naming.conceptOf('streamline-freehand', 'alert-alarm-bell')).toBe('bell');
    expect(naming.conceptOf('streamline-freehand-color', 'business-metaphor-lucky-cat')).toBe(
      'cat',
    );
    expect(naming.conceptOf('streamline-freehand', 'bell')).toBeNull();
    expect(naming.conceptOf('streamline-freehand', 'toString')).toBeNull();
  });

  it('can be left out in one style only', () => {
    expect(naming.conceptOf('mdi', 'alarm')).toBe('alarm-clock');
    expect(naming.conceptOf('mdi', 'alarm-light')).toBeNull();
  });
});

describe('the recipe', () => {
  it('gives every word to one concept, and in the form that names are compared in', () => {
    const words = recipe.concepts.flatMap(({ match }) => match);
    expect(words.filter((word) => naming.bare(word) !== word)).toEqual([]);
    expect(words.filter((word, i) => words.indexOf(word) !== i)).toEqual([]);
  });

  it('takes whole sets for a style, and phrases for concepts that there are', () => {
    const whole = Object.values(recipe.setDomains).flat();
    expect(whole.filter((set) => recipe.skipSets.includes(set))).toEqual([]);
    expect(new Set(whole).size).toBe(whole.length);
    const concepts = recipe.concepts.map(({ name }) => name);
    const named = Object.values(recipe.named).flatMap((icons) => Object.values<string>(icons));
    expect(named.filter((concept) => !concepts.includes(concept))).toEqual([]);
    expect(Object.keys(recipe.named).filter((set) => !whole.includes(set))).toEqual([]);
  });

  it('leaves out only what it would otherwise take', () => {
    for (const { name, match, exclude } of recipe.concepts) {
      const icons = exclude.map((entry) => naming.bare(entry.split(':')[1] ?? ''));
      expect(icons.filter((icon) => !match.includes(icon)).map((icon) => [name, icon])).toEqual([]);
    }
  });

  it('has every icon set in one family at most', () => {
    const sets = Object.values(recipe.families).flat();
    expect(sets.filter((set, i) => sets.indexOf(set) !== i)).toEqual([]);
  });
});

describe('families', () => {
  it('hold the sets that share drawings', () => {
    expect(naming.familyOf('fa7-solid')).toBe(naming.familyOf('fa-regular'));
    expect(naming.familyOf('ic')).toBe(naming.familyOf('material-symbols-light'));
  });

  it('are the set itself where nothing is known', () => {
    expect(naming.familyOf('tabler')).toBe('tabler');
  });

  it('share a limit evenly', () => {
    const items = ['a', 'a', 'a', 'a', 'b', 'c', 'c'].map((family, n) => ({ family, n }));
    expect(spreadOverFamilies(items, 5).map(({ n }) => n)).toEqual([0, 1, 4, 5, 6]);
    expect(spreadOverFamilies(items, 2).map(({ n }) => n)).toEqual([0, 4]);
    expect(spreadOverFamilies(items, 99)).toEqual(items);
    expect(spreadOverFamilies(items, 0)).toEqual([]);
  });
});

describe('one icon in several sizes', () => {
  it('is kept in the largest', () => {
    const icons = ['bell-16-filled', 'bell-20-regular', 'bell-24-filled', 'bell-9-filled', 'bell'];
    expect(largestOfEachSize(icons)).toEqual([
      'bell-20-regular',
      'bell-24-filled',
      'bell-9-filled',
      'bell',
    ]);
  });
});
