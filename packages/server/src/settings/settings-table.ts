import { isIP } from 'node:net';
import { parseNetwork } from '../platform/networks.ts';
import { AllowList } from '../platform/outbound/allow-list.ts';
import type { Setting, SettingsOf } from './setting.ts';

const day = 86_400_000;

/** Every option of the server. A new one is a row here, then `npm run docs`. */
export const settingsTable = [
  {
    group: 'Start',
    name: 'data',
    kind: 'path',
    default: './data',
    env: 'BERTH_DATA',
    flag: 'data',
    placeholder: 'DIR',
    help: 'Folder that holds the database, the stored parts, the keys and the certificates; made when missing.',
  },
  {
    group: 'Start',
    name: 'host',
    kind: 'text',
    default: 'localhost',
    env: 'BERTH_HOST',
    flag: 'host',
    placeholder: 'H',
    check: hostProblem,
    help: 'Address to listen on; 0.0.0.0 or :: for other machines to reach it.',
  },
  {
    group: 'Start',
    name: 'port',
    kind: 'integer',
    default: '5000',
    min: 0,
    max: 65_535,
    env: 'BERTH_PORT',
    flag: 'port',
    placeholder: 'N',
    help: 'Port to listen on; 0 lets the system choose one.',
  },
  {
    group: 'Start',
    name: 'config',
    kind: 'path',
    env: 'BERTH_CONFIG',
    flag: 'config',
    placeholder: 'FILE',
    help: 'JSON file with settings by name; the environment and the command line go before it.',
  },
  {
    group: 'Start',
    name: 'loginServer',
    kind: 'text',
    env: 'BERTH_LOGIN_SERVER',
    flag: 'login-server',
    placeholder: 'HOST[:PORT]',
    check: loginServerProblem,
    help: 'Host name, with port if it is not the usual one, by which clients reach this registry; with https:// before it when a proxy ends TLS.',
  },
  {
    group: 'Start',
    name: 'region',
    kind: 'text',
    default: 'local',
    env: 'BERTH_REGION',
    flag: 'region',
    placeholder: 'NAME',
    check: regionProblem,
    help: 'Name of the place that this deployment serves; stands in logs and metrics.',
  },
  {
    group: 'Start',
    name: 'graceTime',
    kind: 'duration',
    default: '30s',
    min: 0,
    max: day,
    env: 'BERTH_GRACE_TIME',
    flag: 'grace-time',
    placeholder: 'TIME',
    help: 'How long requests in work may take to finish after SIGTERM.',
  },

  {
    group: 'TLS',
    name: 'tls',
    kind: 'choice',
    choices: ['off', 'auto'],
    default: 'off',
    env: 'BERTH_TLS',
    flag: 'tls',
    placeholder: 'auto',
    help: 'auto: makes a local authority and a certificate in the data folder, and says how clients come to trust it.',
  },
  {
    group: 'TLS',
    name: 'tlsCert',
    kind: 'path',
    env: 'BERTH_TLS_CERT',
    flag: 'tls-cert',
    placeholder: 'FILE',
    help: "PEM file with the certificate chain, the server's own first; needs tlsKey.",
  },
  {
    group: 'TLS',
    name: 'tlsKey',
    kind: 'path',
    env: 'BERTH_TLS_KEY',
    flag: 'tls-key',
    placeholder: 'FILE',
    help: "PEM file with the certificate's private key; needs tlsCert.",
  },

  {
    group: 'Access',
    name: 'adminPassword',
    kind: 'secret',
    env: 'BERTH_ADMIN_PASSWORD',
    help: 'Password of the admin user "local"; without it the first start makes one.',
  },
  {
    group: 'Access',
    name: 'anonymousPull',
    kind: 'switch',
    default: 'false',
    env: 'BERTH_ANONYMOUS_PULL',
    flag: 'anonymous-pull',
    help: 'Whether everybody may pull without signing in.',
  },
  {
    group: 'Access',
    name: 'trustedProxies',
    kind: 'list',
    default: '',
    env: 'BERTH_TRUSTED_PROXIES',
    flag: 'trusted-proxies',
    placeholder: 'LIST',
    check: networksProblem,
    help: 'Addresses and networks (10.0.0.0/8) of proxies whose X-Forwarded-For, -Host and -Proto headers are believed.',
  },
  {
    group: 'Access',
    name: 'privateNetworks',
    kind: 'list',
    default: '127.0.0.0/8,::1',
    env: 'BERTH_PRIVATE_NETWORKS',
    flag: 'private-networks',
    placeholder: 'LIST',
    check: networksProblem,
    help: 'Addresses and networks that count as private endpoints: they reach a registry whatever its network rules say, and with public network access off nobody else does.',
  },
  {
    group: 'Access',
    name: 'outboundAllow',
    kind: 'list',
    default: '',
    env: 'BERTH_OUTBOUND_ALLOW',
    flag: 'outbound-allow',
    placeholder: 'LIST',
    check: outboundProblem,
    help: 'Addresses, networks and host names off the public internet that imports and other requests which users steer may go to; none by default, so that nobody reaches inner machines through this server.',
  },

  {
    group: 'Storage',
    name: 'database',
    kind: 'text',
    isSecret: true,
    env: 'BERTH_DATABASE',
    flag: 'database',
    placeholder: 'URL',
    check: databaseProblem,
    help: 'postgres:// URL; without it the database is the file berth.db in the data folder.',
  },
  {
    group: 'Storage',
    name: 'databaseConnections',
    kind: 'integer',
    default: '10',
    min: 2,
    max: 1000,
    env: 'BERTH_DATABASE_CONNECTIONS',
    flag: 'database-connections',
    placeholder: 'N',
    help: 'Connections to PostgreSQL that this process opens at the most.',
  },
  {
    group: 'Storage',
    name: 'blobStore',
    kind: 'text',
    isSecret: true,
    env: 'BERTH_BLOB_STORE',
    flag: 'blob-store',
    placeholder: 'URL',
    check: blobStoreProblem,
    help: 'Where sealed parts lie: file:FOLDER, or memory: for tests; without it the folder parts in the data folder.',
  },
  {
    group: 'Storage',
    name: 'garbageDelay',
    kind: 'duration',
    default: '24h',
    min: 0,
    max: 365 * day,
    env: 'BERTH_GARBAGE_DELAY',
    flag: 'garbage-delay',
    placeholder: 'TIME',
    help: 'How long a blob may wait for a manifest that uses it before it is collected.',
  },
  {
    group: 'Storage',
    name: 'garbageInterval',
    kind: 'duration',
    default: '1m',
    min: 100,
    max: day,
    env: 'BERTH_GARBAGE_INTERVAL',
    flag: 'garbage-interval',
    placeholder: 'TIME',
    help: 'How often garbage that is due, and uploads that expired, are looked for.',
  },
  {
    group: 'Storage',
    name: 'cleanupInterval',
    kind: 'duration',
    default: '1h',
    min: 100,
    max: 30 * day,
    env: 'BERTH_CLEANUP_INTERVAL',
    flag: 'cleanup-interval',
    placeholder: 'TIME',
    help: 'How often the retention policy and the cleanup rules are applied.',
  },
  {
    group: 'Storage',
    name: 'uploadExpiry',
    kind: 'duration',
    default: '24h',
    min: 1000,
    max: 365 * day,
    env: 'BERTH_UPLOAD_EXPIRY',
    flag: 'upload-expiry',
    placeholder: 'TIME',
    help: 'How long an upload may rest before it is given up.',
  },
  {
    group: 'Storage',
    name: 'manifestCache',
    kind: 'size',
    default: '32MiB',
    min: 0,
    max: 2 ** 34,
    env: 'BERTH_MANIFEST_CACHE',
    flag: 'manifest-cache',
    placeholder: 'SIZE',
    help: 'Memory for opened manifests.',
  },

  {
    group: 'Logs',
    name: 'logLevel',
    kind: 'choice',
    choices: ['silent', 'error', 'warn', 'info', 'debug', 'trace'],
    default: 'info',
    env: 'BERTH_LOG_LEVEL',
    flag: 'log-level',
    placeholder: 'LEVEL',
    help: 'What is logged to the error output; info has one line for each request, warn only what needs a look.',
  },
  {
    group: 'Logs',
    name: 'logFormat',
    kind: 'choice',
    choices: ['auto', 'json', 'text'],
    default: 'auto',
    env: 'BERTH_LOG_FORMAT',
    flag: 'log-format',
    placeholder: 'FORMAT',
    help: 'auto: text on a terminal, otherwise JSON.',
  },

  {
    group: 'Limits',
    name: 'maxConnections',
    kind: 'integer',
    default: '10000',
    min: 1,
    max: 1_000_000,
    env: 'BERTH_MAX_CONNECTIONS',
    flag: 'max-connections',
    placeholder: 'N',
    help: 'Connections at once; further ones are closed at once.',
  },
  {
    group: 'Limits',
    name: 'maxRequests',
    kind: 'integer',
    default: '2000',
    min: 1,
    max: 1_000_000,
    env: 'BERTH_MAX_REQUESTS',
    flag: 'max-requests',
    placeholder: 'N',
    help: 'Requests in work at once; further ones are told to come back later (503).',
  },
  {
    group: 'Limits',
    name: 'maxHeaderSize',
    kind: 'size',
    default: '16KiB',
    min: 4096,
    max: 2 ** 20,
    env: 'BERTH_MAX_HEADER_SIZE',
    flag: 'max-header-size',
    placeholder: 'SIZE',
    help: "Size of a request's line and headers together.",
  },
  {
    group: 'Limits',
    name: 'headersTimeout',
    kind: 'duration',
    default: '20s',
    min: 1000,
    max: day,
    env: 'BERTH_HEADERS_TIMEOUT',
    flag: 'headers-timeout',
    placeholder: 'TIME',
    help: 'How long the headers of a request may take to arrive.',
  },
  {
    group: 'Limits',
    name: 'idleTimeout',
    kind: 'duration',
    default: '75s',
    min: 1000,
    max: day,
    env: 'BERTH_IDLE_TIMEOUT',
    flag: 'idle-timeout',
    placeholder: 'TIME',
    help: 'How long a connection is kept open for the next request.',
  },
  {
    group: 'Limits',
    name: 'stallTimeout',
    kind: 'duration',
    default: '30s',
    min: 1000,
    max: day,
    env: 'BERTH_STALL_TIMEOUT',
    flag: 'stall-timeout',
    placeholder: 'TIME',
    help: 'A client that sends or takes less than minTransfer in this time is cut off.',
  },
  {
    group: 'Limits',
    name: 'minTransfer',
    kind: 'size',
    default: '16KiB',
    min: 1,
    max: 2 ** 30,
    env: 'BERTH_MIN_TRANSFER',
    flag: 'min-transfer',
    placeholder: 'SIZE',
    help: 'What must get through in stallTimeout while a body is sent or taken.',
  },
  {
    group: 'Limits',
    name: 'rateLimits',
    kind: 'choice',
    choices: ['off', 'plan'],
    default: 'off',
    env: 'BERTH_RATE_LIMITS',
    flag: 'rate-limits',
    placeholder: 'plan',
    help: "plan: calls per minute of a registry and of each client are limited as its plan says (Azure Container Registry's figures, unless planLimits says otherwise); beyond them 429.",
  },
  {
    group: 'Limits',
    name: 'planLimits',
    kind: 'json',
    default: '',
    env: 'BERTH_PLAN_LIMITS',
    flag: 'plan-limits',
    placeholder: 'JSON',
    help: 'Limits of plans that differ from the usual ones: {"Basic":{"webhooks":5}}; -1 lifts a limit.',
  },
  {
    group: 'Limits',
    name: 'defaultPlan',
    kind: 'choice',
    choices: ['Basic', 'Standard', 'Premium'],
    default: 'Premium',
    env: 'BERTH_DEFAULT_PLAN',
    flag: 'default-plan',
    placeholder: 'PLAN',
    help: 'Plan that the registry "local" gets when the first start makes it; afterwards the resource manager changes it.',
  },
] as const satisfies readonly Setting[];

export type Settings = SettingsOf<typeof settingsTable>;

/** RFC 3986 host with optional port; nothing that could break out of a header. */
const hostWithPort = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/;

function loginServerProblem(text: string): string | undefined {
  return hostWithPort.test(text.replace(/^https?:\/\//, ''))
    ? undefined
    : 'must be HOST or HOST:PORT, with http:// or https:// before it if need be';
}

function hostProblem(text: string): string | undefined {
  return isIP(text) !== 0 || /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/.test(text)
    ? undefined
    : 'must be an address or a host name of this machine';
}

function regionProblem(text: string): string | undefined {
  return /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(text) ? undefined : 'must be lower-case letters, digits and hyphens';
}

function databaseProblem(text: string): string | undefined {
  return /^postgres(?:ql)?:\/\//.test(text) && URL.canParse(text)
    ? undefined
    : 'must be a URL such as postgres://user:password@host:5432/database';
}

function blobStoreProblem(text: string): string | undefined {
  return text === 'memory:' || /^file:./.test(text) ? undefined : 'must be file:FOLDER or memory:';
}

function networksProblem(text: string): string | undefined {
  for (const entry of text.split(',').map((each) => each.trim())) {
    if (entry !== '' && parseNetwork(entry) === undefined)
      return `names "${entry}", which is neither an address nor a network such as 10.0.0.0/8`;
  }
  return undefined;
}

function outboundProblem(text: string): string | undefined {
  return AllowList.problemOf(
    text
      .split(',')
      .map((entry) => entry.trim())
      .filter((entry) => entry !== ''),
  );
}
