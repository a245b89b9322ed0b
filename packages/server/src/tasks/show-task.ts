import type { SealedText, TaskCredentials, TaskProperties, TaskStep, TaskTriggers, TaskValue } from './model.ts';

/** Opens a secret to be shown; undefined: secrets are left out. */
type Reveal = ((secret: SealedText) => string) | undefined;

type Shown = Readonly<Record<string, unknown>>;

/** The `properties` of a task as clients see them: without its secrets, or with them where `reveal` opens them. */
export function showTask(properties: TaskProperties, baseImages: readonly Shown[], reveal?: Reveal): Shown {
  const { step, trigger, credentials, agentConfiguration, agentPoolName, logTemplate, access, ...plain } = properties;
  return {
    ...plain,
    agentConfiguration: agentConfiguration ?? null,
    agentPoolName: agentPoolName ?? null,
    step: step === undefined ? null : showStep(step, baseImages, reveal),
    trigger: showTriggers(trigger, reveal),
    credentials: credentials === undefined ? null : showCredentials(credentials, reveal),
    logTemplate: logTemplate ?? null,
    ...(access !== undefined && { access }),
  };
}

function showStep(step: TaskStep, baseImages: readonly Shown[], reveal: Reveal): Shown {
  const { contextPath, contextAccessToken, ...own } = step;
  return {
    ...own,
    contextPath: contextPath ?? null,
    contextAccessToken: contextAccessToken === undefined || reveal === undefined ? null : reveal(contextAccessToken),
    // Null until a run has succeeded, as ACR has it.
    baseImageDependencies: baseImages.length === 0 ? null : baseImages,
    ...('arguments' in step ? { arguments: step.arguments.map((each) => showValue(each, reveal)) } : {}),
    ...('values' in step ? { values: step.values.map((each) => showValue(each, reveal)) } : {}),
  };
}

function showValue({ name, value, isSecret }: TaskValue, reveal: Reveal): Shown {
  const shown = typeof value === 'string' ? value : reveal?.(value);
  return { name, ...(shown !== undefined && { value: shown }), isSecret };
}

function showTriggers({ timerTriggers, sourceTriggers, baseImageTrigger }: TaskTriggers, reveal: Reveal): Shown {
  return {
    timerTriggers,
    sourceTriggers: sourceTriggers.map(({ sourceRepository, ...trigger }) => {
      const { sourceControlAuthProperties: auth, ...repository } = sourceRepository;
      const secrets =
        auth === undefined || reveal === undefined
          ? {}
          : {
              token: reveal(auth.token),
              ...(auth.refreshToken !== undefined && { refreshToken: reveal(auth.refreshToken) }),
            };
      const { token: _token, refreshToken: _refreshToken, ...plain } = auth ?? {};
      const shown = auth === undefined ? null : { ...plain, ...secrets };
      return { ...trigger, sourceRepository: { ...repository, sourceControlAuthProperties: shown } };
    }),
    baseImageTrigger: baseImageTrigger ?? null,
  };
}

type Login = NonNullable<TaskCredentials['customRegistries']>[string];

function showCredentials({ sourceRegistry, customRegistries }: TaskCredentials, reveal: Reveal): Shown {
  const showSecret = (secret: Login['userName']): Shown | undefined => {
    if (secret === undefined) return undefined;
    const value = typeof secret.value === 'string' ? secret.value : reveal?.(secret.value);
    return { type: secret.type, ...(value !== undefined && { value }) };
  };
  const logins = Object.entries(customRegistries ?? {}).map(([server, { userName, password, identity }]) => [
    server,
    { userName: showSecret(userName) ?? null, password: showSecret(password) ?? null, identity: identity ?? null },
  ]);
  return {
    sourceRegistry: sourceRegistry ?? null,
    customRegistries: logins.length === 0 ? null : (Object.fromEntries(logins) as Shown),
  };
}
