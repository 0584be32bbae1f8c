import type { z } from 'zod';
import { CarryoverError } from '../contract/errors.ts';

/** A number as typed, within what the contract allows; absent: its default. Throws `bad-input`. */
export function numberOption(
  name: string,
  text: string | undefined,
  schema: z.ZodType<number, number | undefined>,
): number {
  const given = text === undefined ? undefined : text.trim() === '' ? NaN : Number(text);
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const why = parsed.error.issues[0]?.message ?? 'it cannot be used';
  throw new CarryoverError('bad-input', `${name} ${text}: ${why}`, {
    value: text ?? '',
    wayOut: 'see the range with --help, or leave the option out',
  });
}
