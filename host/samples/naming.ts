/** What a sample recipe says about names; see resources/samples/icon-domains.json. */
export interface NamingRules {
  /** Words of an icon's name that say how it is drawn, not what it shows. */
  styleWords: readonly string[];
  concepts: readonly Concept[];
  /** Icon sets that share drawings, by family name; any other set is a family of its own. */
  families: Readonly<Record<string, readonly string[]>>;
  /**
   * Sets whose names are phrases (`business-metaphor-lucky-cat`): which concept their icons show.
   * Icons that are not listed show none.
   */
  named: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export interface Concept {
  name: string;
  /** Icon names without style words that mean this concept. */
  match: readonly string[];
  /** Icons that mean something else: `set:icon`, with or without the icon's style words. */
  exclude: readonly string[];
}

export interface Naming {
  /** An icon's name without style words and sizes: `bell-16-filled` is `bell`. */
  bare(icon: string): string;
  /** The concept that an icon shows; null for none of the recipe's. */
  conceptOf(set: string, icon: string): string | null;
  familyOf(set: string): string;
}

/** Compiles the rules for quick look-up. */
export function compileNaming({ styleWords, concepts, families, named }: NamingRules): Naming {
  const style = new Set(styleWords);
  const byName = new Map(concepts.flatMap((c) => c.match.map((word) => [word, c] as const)));
  const familyBySet = new Map(
    Object.entries(families).flatMap(([family, sets]) => sets.map((set) => [set, family] as const)),
  );
  const bare = (icon: string) =>
    icon
      .split('-')
      .filter((word) => !style.has(word) && !/^\d+(px)?$/.test(word))
      .join('-');
  return {
    bare,
    conceptOf(set, icon) {
      const listed = named[set];
      if (listed) return Object.hasOwn(listed, icon) ? listed[icon]! : null;
      const name = bare(icon);
      const concept = byName.get(name);
      if (!concept) return null;
      const excluded = [name, icon].some((form) => concept.exclude.includes(`${set}:${form}`));
      return excluded ? null : concept.name;
    },
    familyOf: (set) => familyBySet.get(set) ?? set,
  };
}

/**
 * Of icons that differ only in a size number (`bell-16-filled`, `bell-24-filled`) the largest;
 * order kept.
 */
export function largestOfEachSize(icons: readonly string[]): string[] {
  const best = new Map<string, { icon: string; size: number }>();
  for (const icon of icons) {
    const sizes = icon.match(/(?<=-)(8|10|12|14|16|20|24|28|32|48)(?=-|$)/g);
    const size = Number(sizes?.at(-1) ?? 0);
    const key = icon.replace(/-(8|10|12|14|16|20|24|28|32|48)(?=-|$)/g, '');
    const known = best.get(key);
    if (!known || size > known.size) best.set(key, { icon, size });
  }
  const kept = new Set([...best.values()].map(({ icon }) => icon));
  return icons.filter((icon) => kept.has(icon));
}

/**
 * At most `limit` items, taken in turn from every family (families by name, items in their order),
 * so that one large family does not crowd out the others. The items' order is kept.
 */
export function spreadOverFamilies<T extends { family: string }>(
  items: readonly T[],
  limit: number,
): T[] {
  const families = Map.groupBy(items, ({ family }) => family);
  const rows = [...families.keys()].sort().map((family) => families.get(family) ?? []);
  const chosen = new Set<T>();
  for (let turn = 0; chosen.size < Math.min(limit, items.length); turn++) {
    for (const row of rows) {
      const item = row[turn];
      if (item && chosen.size < limit) chosen.add(item);
    }
  }
  return items.filter((item) => chosen.has(item));
}
