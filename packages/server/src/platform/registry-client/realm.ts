/** Token services that their operators document for a registry of another host. */
const documentedRealms: ReadonlyMap<string, string> = new Map([
  ['registry-1.docker.io', 'auth.docker.io'],
  ['dhi.io', 'auth.docker.io'],
  ['registry.gitlab.com', 'gitlab.com'],
  ['registry.redhat.io', 'sso.redhat.com'],
]);

/**
 * Whether credentials for a registry may go to the token service that it names: only where its own operator surely is. Any
 * registry can name any realm (attack 29).
 */
export function isTrustedRealm(registry: URL, realm: URL): boolean {
  if (realm.protocol !== 'https:' && realm.protocol !== registry.protocol) return false;
  if (realm.hostname === registry.hostname) return realm.port === registry.port || realm.protocol === 'https:';
  return realm.port === '' && documentedRealms.get(registry.hostname) === realm.hostname;
}
