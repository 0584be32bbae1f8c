import type { z } from 'zod';

type Schema = z.core.$ZodType;
type Path = readonly PropertyKey[];

/** The schemas that describe the value at `path` (several where unions branch); none off the map. */
function schemasAt(schema: Schema, path: Path): Schema[] {
  let reached = branches(schema);
  for (const key of path) reached = reached.flatMap((each) => step(each, key)).flatMap(branches);
  return reached;
}

/** A schema without wrappers (default, optional ...) and with unions spread out. */
function branches(schema: Schema): Schema[] {
  const def = (schema as z.core.$ZodTypes)._zod.def;
  switch (def.type) {
    case 'default':
    case 'prefault':
    case 'optional':
      return branches(def.innerType);
    case 'pipe':
      return branches(def.in);
    case 'union':
      return def.options.flatMap(branches);
    default:
      return [schema];
  }
}

function step(schema: Schema, key: PropertyKey): Schema[] {
  const def = (schema as z.core.$ZodTypes)._zod.def;
  switch (def.type) {
    case 'object': {
      const shape: Readonly<Record<PropertyKey, Schema>> = def.shape;
      return Object.hasOwn(shape, key) && shape[key] ? [shape[key]] : [];
    }
    case 'record':
      return [def.valueType];
    case 'array':
      return [def.element];
    default:
      return [];
  }
}

/** Keys that may stand in the mapping at `path` of a value that `schema` describes. */
export function legalKeys(schema: Schema, path: Path): string[] {
  const keys = schemasAt(schema, path).flatMap((each) => {
    const def = (each as z.core.$ZodTypes)._zod.def;
    return def.type === 'object' ? Object.keys(def.shape) : [];
  });
  return [...new Set(keys)];
}

/** The words that may stand at `path`: members of enums and literals, of all branches. */
export function legalWords(schema: Schema, path: Path): string[] {
  const words = schemasAt(schema, path).flatMap((each) => {
    const def = (each as z.core.$ZodTypes)._zod.def;
    if (def.type === 'enum') return Object.values(def.entries).map(String);
    return def.type === 'literal' ? def.values.map(String) : [];
  });
  return [...new Set(words)];
}

/** The value of `kind` in the mapping at `path` that may have `key`; null where no kind has it. */
export function kindWith(schema: Schema, path: Path, key: string): string | null {
  for (const each of schemasAt(schema, path)) {
    const def = (each as z.core.$ZodTypes)._zod.def;
    if (def.type !== 'object' || !Object.hasOwn(def.shape, key)) continue;
    const [kind] = legalWords(each, ['kind']);
    if (kind !== undefined) return kind;
  }
  return null;
}
