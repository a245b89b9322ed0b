import type { Network, SecretSource, Volume } from './model.ts';
import type { NodeReader } from './node-reader.ts';

/** What a task file declares beside its steps (acr-tasks 1.1). */

export function readSecrets(root: NodeReader): readonly SecretSource[] {
  const nodes = root.child('secrets')?.items() ?? [];
  const secrets = nodes.map((node) => {
    node.requireKnown(['id', 'keyvault', 'clientID']);
    const [id, keyvault] = [node.text('id') ?? '', node.text('keyvault') ?? ''];
    if (!/^\S+$/.test(id)) node.report(`${node.name} has no id, or one with spaces`);
    if (!/^https:\/\/[^/\s]+\/secrets\/[^/\s]+(?:\/[^/\s]+)?$/.test(keyvault))
      node.report(`${node.name}.keyvault is the address of a secret: https://VAULT/secrets/NAME, or https://berth/secrets/NAME`);
    return { id, keyvault, clientId: node.text('clientID') };
  });
  requireUnique(
    root,
    'secrets',
    secrets.map(({ id }) => id),
  );
  return secrets;
}

export function readNetworks(root: NodeReader): readonly Network[] {
  const networks = (root.child('networks')?.items() ?? []).map((node) => {
    node.requireKnown(['name', 'driver', 'ipv6', 'skipCreation', 'isDefault']);
    const name = node.text('name') ?? '';
    if (!/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(name)) node.report(`${node.name}.name is a name of a network`);
    return {
      name,
      driver: node.text('driver'),
      isIpv6: node.flag('ipv6'),
      skipsCreation: node.flag('skipCreation'),
      isDefault: node.flag('isDefault'),
    };
  });
  requireUnique(
    root,
    'networks',
    networks.map(({ name }) => name),
  );
  return networks;
}

export function readVolumes(root: NodeReader, reveal: (text: string) => string): readonly Volume[] {
  const volumes = (root.child('volumes')?.items() ?? []).map((node) => {
    node.requireKnown(['name', 'secret']);
    const name = node.text('name') ?? '';
    if (!/^[A-Za-z0-9_-]+$/.test(name)) node.report(`${node.name}.name is letters, digits, _ and -`);
    const secret = node.child('secret');
    if (secret === undefined) node.report(`${node.name} has no secret: a map of file names to contents in base64`);
    const files = new Map<string, Buffer>();
    for (const [file, content] of secret?.members() ?? []) {
      if (!/^[A-Za-z0-9_.-]+$/.test(file) || /^\.+$/.test(file)) content.report(`${JSON.stringify(file)} is no name of a file`);
      const text = reveal(secret?.text(file) ?? '').replaceAll(/\s/g, '');
      if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) content.report(`${content.name} is not base64`);
      files.set(file, Buffer.from(text, 'base64'));
    }
    return { name, files };
  });
  requireUnique(
    root,
    'volumes',
    volumes.map(({ name }) => name),
  );
  return volumes;
}

function requireUnique(root: NodeReader, collection: string, names: readonly string[]): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) root.child(collection)?.report(`${collection} has ${twice} twice`);
}
