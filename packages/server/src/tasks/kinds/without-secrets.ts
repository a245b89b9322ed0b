type Json = Readonly<Record<string, unknown>>;

/** The request of a run as everybody may see it: no values of secrets, no credentials, no password in an address. */
export function withoutSecrets(request: unknown): Json {
  const { credentials, ...shown } = asObject(request);
  const override = shown['overrideTaskStepProperties'];
  return {
    ...plain(shown),
    ...(credentials !== undefined && credentials !== null && { credentials: plainCredentials(asObject(credentials)) }),
    ...(override !== undefined && override !== null && { overrideTaskStepProperties: plain(asObject(override)) }),
  };
}

function plain(request: Json): Json {
  const entries = Object.entries(request).map(([name, value]): [string, unknown] => {
    if ((name === 'values' || name === 'arguments') && Array.isArray(value)) return [name, value.map(plainValue)];
    if ((name === 'sourceLocation' || name === 'contextPath') && typeof value === 'string')
      return [name, value.replace(/\/\/[^@/]*@/, '//')];
    return [name, value];
  });
  return Object.fromEntries(entries);
}

function plainValue(value: unknown): unknown {
  const { name, isSecret } = asObject(value);
  return isSecret === true ? { name, isSecret } : value;
}

function plainCredentials({ sourceRegistry, customRegistries }: Json): Json {
  const servers = Object.keys(asObject(customRegistries ?? {}));
  return { sourceRegistry: sourceRegistry ?? null, customRegistries: Object.fromEntries(servers.map((server) => [server, {}])) };
}

function asObject(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}
