import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findProgram, isRequired, runProgram } from './client-program.ts';

/**
 * `az acr check-health` looks the login server up by name, and so takes none with a port. In a network of its own the server
 * has the usual one. The script waits for its end: until then it writes into the folder, which goes with the test.
 */
const script = `
ip link set lo up
"$NODE" --conditions=source "$MAIN" --data data --port 443 --login-server localhost --tls auto >server.log 2>&1 &
server=$!
trap 'kill $server; wait $server || true' EXIT
until grep -q 'berth listens on' server.log; do kill -0 $server; done
export AZURE_CONFIG_DIR="$PWD/azure" AZURE_CORE_COLLECT_TELEMETRY=0 REQUESTS_CA_BUNDLE="$PWD/data/tls/authority.pem"
value() { sed -n "s/^ *\\"$1\\": \\"\\(.*\\)\\",*$/\\1/p" data/first-run.json; }
az config set core.instance_discovery=false
az cloud register --name berth --endpoint-resource-manager https://localhost --suffix-acr-login-server-endpoint .localhost --suffix-storage-endpoint localhost
az cloud set --name berth
az login --service-principal --username "$(value clientId)" --password "$(value clientSecret)" --tenant adfs
az acr check-health --name local --ignore-errors --yes
`;

const missing = ['az', 'unshare', 'ip'].filter((program) => findProgram(program) === undefined);
const obstacle =
  missing.length > 0 ? `not installed: ${missing.join(', ')}` : process.getuid?.() === 0 ? undefined : 'needs root';
// Where the client is required, an obstacle must fail the test and not hide it.
const skip = obstacle !== undefined && !isRequired('azure-cli') ? obstacle : false;

test('az acr check-health finds the registry healthy', { skip }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'berth-health-'));
  try {
    const unshare = findProgram('unshare') ?? assert.fail(obstacle);
    const env = {
      NODE: process.execPath,
      MAIN: fileURLToPath(import.meta.resolve('@berth/server/main')),
      HOME: folder,
      PATH: `${process.env['PATH']}:/usr/sbin:/sbin`,
    };
    const { stderr } = await runProgram(unshare, ['--net', 'sh', '-eu', '-c', script], { cwd: folder, env });
    for (const step of [
      'DNS lookup to localhost at IP 127.0.0.1 : OK',
      "Fetch refresh token for registry 'localhost' : OK",
      "Fetch access token for registry 'localhost' : OK",
    ])
      assert.ok(stderr.includes(step), stderr);
    assert.match(stderr, /Challenge endpoint https:\/\/localhost\/v2\/ : OK/);
    assert.doesNotMatch(stderr, /CONNECTIVITY|LOGIN_SERVER/);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
