import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBuildCommand, parseRunCommand } from '@berth/task-file';
import { buildArguments, buildCache } from './build-arguments.ts';
import { readBuildFlags } from './build-flags.ts';
import { isHarmlessName, passArguments, passEnvironment } from './child-values.ts';
import { readRunFlags } from './run-flags.ts';

const nothing = { allowsPrivileged: false, allowsEngineSocket: false };
const everything = { allowsPrivileged: true, allowsEngineSocket: true };

test('flags of a cmd: what belongs to the run', () => {
  const flags = readRunFlags(
    parseRunCommand(
      '--rm -it -e A=1 -v data:/data:ro --mount type=volume,source=data,target=/again -p 80:80 --memory 64m --name db -w /x -d img',
    ).flags,
    nothing,
  );
  assert.deepEqual(flags.passed, ['--publish', '80:80']);
  assert.deepEqual(flags.environment, ['A=1']);
  assert.deepEqual(flags.volumes, [
    { name: 'data', mountPath: '/data', isReadOnly: true },
    { name: 'data', mountPath: '/again', isReadOnly: false },
  ]);
  assert.deepEqual(
    [flags.memoryBytes, flags.aliases, flags.workingDirectory, flags.isDetached],
    [64 * 2 ** 20, ['db'], '/x', true],
  );
});

for (const text of [
  '--privileged',
  '--pid host',
  '--ipc host',
  '--uts host',
  '--userns host',
  '--cap-add ALL',
  '--device /dev/sda',
  '--gpus all',
  '--security-opt seccomp=unconfined',
  '--cgroup-parent /',
  '--runtime other',
  '--volumes-from other',
  '-v /:/host',
  '-v ../x:/host',
  '-v /var/run/docker.sock:/var/run/docker.sock',
  '--mount type=bind,source=/,target=/host',
  '--mount type=volume,target=/x,volume-opt=device=/',
  '--env-file /etc/passwd',
  '--label-file /etc/passwd',
  '--cidfile /tmp/x',
  '--restart always',
  '--log-driver syslog',
  '--label berth.agent=x',
])
  test(`attack 34: a cmd has no ${text}`, () => {
    assert.throws(() => readRunFlags(parseRunCommand(`${text} img`).flags, nothing), /^Error: has --/);
  });

test('an agent may allow what is privileged, but never folders of its machine', () => {
  for (const text of ['--privileged', '--cap-add ALL', '-v /var/run/docker.sock:/var/run/docker.sock'])
    readRunFlags(parseRunCommand(`${text} img`).flags, everything);
  assert.throws(() => readRunFlags(parseRunCommand('-v /etc:/x img').flags, everything), /cannot be mounted/);
});

for (const text of [
  '--output type=local,dest=/',
  '--ssh default',
  '--network host',
  '--allow security.insecure',
  '--iidfile /x',
  '--push',
])
  test(`attack 33: a build has no ${text}`, () => {
    assert.throws(() => readBuildFlags(parseBuildCommand(`${text} .`).others, nothing), /^Error: has --/);
  });

test('names that mean something to the engine’s client do not reach its environment', () => {
  for (const name of ['PATH', 'LD_PRELOAD', 'DOCKER_HOST', 'http_proxy', 'GODEBUG', 'HOME', 'A=B'])
    assert.equal(isHarmlessName(name), false, name);
  assert.deepEqual(
    passEnvironment(
      new Map([
        ['A', 'x\ny'],
        ['PATH', '/bin'],
      ]),
    ),
    {
      flags: ['--env', 'A'],
      client: { A: 'x\ny' },
      fileLines: ['PATH=/bin'],
    },
  );
  assert.throws(() => passEnvironment(new Map([['PATH', 'a\nLD_PRELOAD=b']])), /line break/);
  assert.deepEqual(
    passArguments(
      new Map([
        ['A', '1'],
        ['HTTP_PROXY', 'p'],
      ]),
    ),
    {
      flags: ['--build-arg', 'A', '--build-arg', 'HTTP_PROXY=p'],
      client: { A: '1' },
    },
  );
});

test('builds share a cache by their key, within a registry, and those of untrusted sources none', () => {
  const common = { agentId: 'a', registry: 'r', runId: '1', cacheKey: 'k', isTrusted: true, isShared: true };
  const { space } = buildCache(common);
  assert.equal(buildCache({ ...common, runId: '2' }).space, space);
  for (const other of [
    { registry: 's' },
    { cacheKey: 'l' },
    { cacheKey: '' },
    { isShared: false },
    { isTrusted: false },
    { agentId: 'b' },
  ])
    assert.notEqual(buildCache({ ...common, ...other }).space, space, JSON.stringify(other));
  const scene = {
    engine: 'docker',
    isWindows: false,
    context: '/c',
    dockerfile: '/c/Dockerfile',
    idFile: '/i',
    idsAreManifests: false,
    tags: ['a:1'],
    platform: 'linux/arm64',
    argumentFlags: ['--build-arg', 'A'],
    passed: [],
    secrets: new Map([['S', '/s']]),
    plainHttpFlags: [],
    cache: buildCache({ ...common, isTrusted: false }),
    keepsLayers: false,
  } as const;
  const args = buildArguments(parseBuildCommand('--target t .'), scene);
  assert.deepEqual(args.slice(0, 10), [
    'build',
    '--progress=plain',
    '--file=/c/Dockerfile',
    '--iidfile=/i',
    '--tag=a:1',
    '--platform=linux/arm64',
    '--target=t',
    '--build-arg',
    'A',
    '--secret=id=S,src=/s',
  ]);
  assert.ok(args.includes('--no-cache'));
  assert.ok(buildArguments(parseBuildCommand('.'), { ...scene, idsAreManifests: true }).includes('--metadata-file=/i'));
});
