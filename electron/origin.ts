/** The origin of an address, or null when it is none (or an opaque one). */
export function originOf(address: string): string | null {
  const origin = URL.parse(address)?.origin ?? 'null';
  return origin === 'null' ? null : origin;
}
