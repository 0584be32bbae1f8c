import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSession, refusal } from '../../host/http/guard.ts';

const PORT = 4321;

test('only the two names of this server pass as Host', () => {
  const own = new Set([`127.0.0.1:${PORT}`, `localhost:${PORT}`]);
  for (const host of own) expect(refusal({ host }, PORT)).toBeNull();
  fc.assert(
    fc.property(fc.oneof(fc.domain(), fc.ipV4(), fc.webAuthority(), fc.string()), (host) => {
      fc.pre(!own.has(host));
      expect(refusal({ host }, PORT)).toContain('Host');
    }),
  );
});

test('only the page that the Host names passes as Origin', () => {
  const host = `127.0.0.1:${PORT}`;
  expect(refusal({ host, origin: `http://${host}` }, PORT)).toBeNull();
  fc.assert(
    fc.property(fc.oneof(fc.webUrl(), fc.string()), (origin) => {
      fc.pre(origin !== `http://${host}`);
      expect(refusal({ host, origin }, PORT)).toContain('Origin');
    }),
  );
});

test('a session knows its own secrets and no others', () => {
  const session = createSession(PORT);
  expect(session.isToken(session.token)).toBe(true);
  expect(session.isCookie(session.cookieValue)).toBe(true);
  expect(session.isToken(session.cookieValue)).toBe(false);
  expect(session.isCookie(session.token)).toBe(false);
  expect(session.isCookie(undefined)).toBe(false);
  fc.assert(fc.property(fc.string(), (text) => !session.isToken(text) && !session.isCookie(text)));
});
