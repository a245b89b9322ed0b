import { RegistryError } from '../../errors/index.ts';

/** Where a secret is: in the registry's own store, or in a vault. */
export type SecretPlace =
  | { readonly kind: 'store'; readonly name: string }
  | { readonly kind: 'vault'; readonly host: string; readonly name: string; readonly version: string | undefined };

export const secretNamePattern = /^[A-Za-z0-9-]{1,127}$/;
const storeHost = 'berth';
const pathPattern = /^\/secrets\/([^/]+)(?:\/([A-Za-z0-9]{1,64}))?\/?$/;

/** `https://berth/secrets/NAME`, `https://VAULT/secrets/NAME[/VERSION]`. @throws INVALID_PARAMETER */
export function parseSecretAddress(text: string): SecretPlace {
  const url = URL.parse(text);
  const [, name = '', version] = pathPattern.exec(url?.pathname ?? '') ?? [];
  if (url === null || url.protocol !== 'https:' || url.username !== '' || url.password !== '' || !secretNamePattern.test(name))
    throw new RegistryError('INVALID_PARAMETER', {
      message: `${JSON.stringify(withoutUser(text))} is no address of a secret: write https://berth/secrets/NAME for one that this registry keeps, or https://VAULT/secrets/NAME`,
      target: 'keyvault',
    });
  return url.host === storeHost ? { kind: 'store', name } : { kind: 'vault', host: url.host, name, version };
}

function withoutUser(text: string): string {
  return text.slice(0, 200).replace(/\/\/[^@/]*@/, '//');
}
