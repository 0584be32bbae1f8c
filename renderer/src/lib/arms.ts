const KNOWN: Record<string, string> = {
  P: '--arm-p',
  'P-T': '--arm-pt',
  'RI-T': '--arm-rit',
};
const OTHERS = ['--arm-3', '--arm-4', '--arm-5', '--arm-6'];

/**
 * The CSS variable of an arm's colour, the same wherever the arm is shown. Names other than P, P-T
 * and RI-T get one of four more colours by their text.
 */
export function armVariable(arm: string): string {
  const known = KNOWN[arm];
  if (known !== undefined) return known;
  let sum = 0;
  for (const char of arm) sum = (sum * 31 + (char.codePointAt(0) ?? 0)) % 65521;
  return OTHERS[sum % OTHERS.length] ?? '--arm-3';
}
