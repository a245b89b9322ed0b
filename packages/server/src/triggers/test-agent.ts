import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Assignment, BaseImageUse, OutputImage, Run } from '@berth/api';
import {
  type RandomImage,
  RegistryClient,
  type StartOptions,
  type StartedRegistry,
  randomImage,
  agentDescription,
  startRegistry,
} from '@berth/testkit';

/** A registry in this process, and whoever plays its agent over HTTP. */
export interface TestServer {
  readonly registry: StartedRegistry;
  ask<T>(method: string, path: string, body?: unknown): Promise<T>;
  /** Makes or replaces a task that builds `image` from anything, with these triggers. */
  putTask(name: string, trigger: object, more?: object): Promise<void>;
  runTask(name: string): Promise<Run>;
  runs(task: string): Promise<readonly Run[]>;
  decisions(task: string): Promise<Decisions>;
  push(repository: string, tag: string): Promise<RandomImage>;
  claim(): Promise<Assignment | undefined>;
  /** Plays a run: pushes `output` with the run's own credential, then reports what it was built on. */
  play(assignment: Assignment, build: PlayedBuild): Promise<RandomImage | undefined>;
}

export interface PlayedBuild {
  readonly output?: string;
  readonly bases: readonly BaseImageUse[];
  readonly outcome?: 'Succeeded' | 'Failed';
}

export interface Decisions {
  readonly decisions: readonly {
    readonly trigger: string;
    readonly isFired: boolean;
    readonly reason: string;
    readonly run: string | null;
    readonly details: Readonly<Record<string, unknown>>;
  }[];
  readonly baseImages: readonly {
    readonly image: string;
    readonly recordedDigest: string;
    readonly currentDigest: string | null;
    readonly how: string;
    readonly problem: string | null;
  }[];
  readonly timers: readonly { readonly name: string; readonly nextAt: string | null }[];
}

export const baseImageTrigger = { name: 'bases', baseImageTriggerType: 'Runtime', status: 'Enabled' } as const;

export async function startTestServer(t: TestContext, options: StartOptions = {}): Promise<TestServer> {
  const registry = await startRegistry(options);
  t.after(() => registry.stop());
  const owner = new RegistryClient(registry);
  t.after(() => owner[Symbol.dispose]());
  const send = (username: string, password: string) => async (method: string, path: string, body?: unknown, lease?: string) => {
    const answer = await fetch(registry.url + path, {
      method,
      headers: {
        authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
        ...(lease !== undefined && { 'berth-lease': lease }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as unknown;
  };
  const ask = send(registry.username, registry.password);
  const { key } = (await ask('POST', '/berth/v1/agent-keys', { name: 'builders' })) as { key: string };
  const agent = send('$agent', key);
  const push = async (client: RegistryClient, repository: string, tag: string): Promise<RandomImage> => {
    const image = randomImage({ layers: 1, layerBytes: 64 });
    await client.pushImage(repository, image, tag);
    return image;
  };
  return {
    registry,
    ask: async <T>(method: string, path: string, body?: unknown) => (await ask(method, path, body)) as T,
    putTask: async (name, trigger, more = {}) => {
      const step = {
        type: 'Docker',
        contextPath: 'https://git.example/app.git',
        imageNames: [`${name}:latest`],
        dockerFilePath: 'Dockerfile',
      };
      const platform = { os: 'Linux', architecture: 'amd64' };
      await ask('PUT', `/berth/v1/tasks/${name}`, { properties: { platform, step, trigger, ...more } });
    },
    runTask: async (name) => (await ask('POST', `/berth/v1/tasks/${name}/runs`, {})) as Run,
    runs: async (task) =>
      ((await ask('GET', '/berth/v1/runs')) as { runs: readonly Run[] }).runs.filter((run) => run.task === task),
    decisions: async (task) => (await ask('GET', `/berth/v1/tasks/${task}/decisions`)) as Decisions,
    push: (repository, tag) => push(owner, repository, tag),
    claim: async () =>
      (await agent('POST', '/berth/v1/agent/claims', { agent: agentDescription, holds: [], waitSeconds: 5 })) as
        | Assignment
        | undefined,
    play: async ({ run, lease, logins }, { output, bases, outcome = 'Succeeded' }) => {
      const [login] = logins;
      assert.ok(login !== undefined);
      let image: RandomImage | undefined;
      const images: OutputImage[] = [];
      if (output !== undefined) {
        using client = new RegistryClient({ url: registry.url, username: login.username, password: login.password });
        image = await push(client, output, 'latest');
        images.push({ registry: run.registry, repository: output, tag: 'latest', digest: image.manifest.digest });
      }
      const dependencies = [{ step: 'build', image: images[0] ?? null, bases: [...bases], gitCommit: null }];
      const end = { outcome, message: null, images, dependencies, temporaryTags: [] };
      await agent('POST', `/berth/v1/agent/runs/${run.id}/reports`, { end }, lease);
      return image;
    },
  };
}

/** Until what runs in the background has done its part; in milliseconds how long that took. */
export async function eventually(look: () => Promise<boolean>, what: string): Promise<number> {
  const began = performance.now();
  for (;;) {
    if (await look()) return performance.now() - began;
    assert.ok(performance.now() - began < 30_000, `it did not happen: ${what}`);
    await new Promise((resolve) => void setImmediate(resolve));
  }
}
