/** What a `WWW-Authenticate` header asks for. */
export interface Challenge {
  readonly scheme: 'basic' | 'bearer';
  readonly realm: string | undefined;
  readonly service: string | undefined;
  readonly scope: string | undefined;
}

/**
 * Reads a challenge as the strictest clients known do: the last "bearer" or "basic" anywhere in the header is the scheme,
 * and parameters count only in quotes. @throws Error when there is neither
 */
export function parseChallenge(header: string | undefined): Challenge {
  const scheme = /.*(bearer|basic)/i.exec(header ?? '')?.[1]?.toLowerCase();
  if (scheme !== 'bearer' && scheme !== 'basic') throw new Error(`no challenge: ${header}`);
  const parameters = new Map(
    Array.from((header ?? '').matchAll(/([A-Za-z]+)="(.+?)"/g), ([, name = '', value]) => [name.toLowerCase(), value]),
  );
  return { scheme, realm: parameters.get('realm'), service: parameters.get('service'), scope: parameters.get('scope') };
}
