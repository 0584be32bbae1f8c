import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "font-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
];

/** A report is one file that carries its own style, script and pictures; it may reach nothing. */
export const REPORT_POLICY = [
  "default-src 'none'",
  "script-src 'unsafe-inline'",
  "style-src 'unsafe-inline'",
  'img-src data:',
  'font-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  'sandbox allow-scripts allow-downloads allow-popups',
].join('; ');

/** Headers of every response, whatever its status. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': POLICY.join('; '),
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/**
 * Why a request may not come in, or null: it must name this server as its Host (a rebound DNS name
 * does not) and must not be sent by another site's page. Requests without Origin and without
 * Sec-Fetch-Site come from no browser page.
 */
export function refusal(headers: IncomingHttpHeaders, port: number): string | null {
  const { host, origin } = headers;
  if (host !== `127.0.0.1:${port}` && host !== `localhost:${port}`) {
    return (
      `the Host header is ${host ?? 'missing'}; this server answers to 127.0.0.1:${port} and ` +
      `localhost:${port} only (a tunnel must use the same port at both ends)`
    );
  }
  if (origin !== undefined && origin !== `http://${host}`) {
    return `the Origin is ${origin}; only pages of http://${host} may ask`;
  }
  const site = headers['sec-fetch-site'] ?? 'none';
  const navigation =
    headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
  if (site !== 'none' && site !== 'same-origin' && !(navigation && origin === undefined)) {
    return `a page of another site asks (Sec-Fetch-Site is ${String(site)})`;
  }
  return null;
}

/** The secret of one start: the token that the address carries and the cookie it is traded for. */
export interface Session {
  readonly token: string;
  /** The cookie's name holds the port, because browsers share cookies among a host's ports. */
  readonly cookieName: string;
  readonly cookieValue: string;
  isToken(candidate: string): boolean;
  isCookie(candidate: string | undefined): boolean;
}

/** A new session of the server on `port`, 256 random bits each for token and cookie. */
export function createSession(port: number): Session {
  const token = randomBytes(32).toString('base64url');
  const cookieValue = randomBytes(32).toString('base64url');
  return {
    token,
    cookieName: `carryover-${port}`,
    cookieValue,
    isToken: (candidate) => sameSecret(candidate, token),
    isCookie: (candidate) => candidate !== undefined && sameSecret(candidate, cookieValue),
  };
}

function sameSecret(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
