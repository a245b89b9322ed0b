import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { Assignment } from '@berth/api';
import { cleanUp } from '../engine/index.ts';
import { RegistryAccess } from './registry/registry-access.ts';
import type { RunStop } from './run-host.ts';
import { withEveryEngine } from './test-engines.ts';
import { type EngineScope, type Session, execute, leftovers, loginsOf } from './test-session.ts';

/** A system of one program, with a shell. */
const system = 'FROM scratch\nCOPY busybox /bin/busybox\nRUN ["/bin/busybox", "--install", "/bin"]\nCMD ["sh"]\n';

const sixSteps = `version: v1.1.0
steps:
  - id: app
    build: -t $Registry/web:$ID -t $Registry/web:latest -f web/Dockerfile .
  - id: running
    cmd: $Registry/web:$ID
    detach: true
  - id: tests
    build: -t web-tests -f tests/Dockerfile .
    when: [app]
  - id: check
    cmd: web-tests sh -c "wget -qO /workspace/answer http://running:8080/"
    retries: 5
    retryDelay: 1
    when: [running, tests]
  - id: note
    cmd: -v $SharedVolume:/again web-tests sh -c "grep hello /workspace/answer && test -s /again/answer && echo $ID is checked"
  - push: [$Registry/web:$ID, '$Registry/web:latest']
`;

const sixStepFiles = {
  'web/Dockerfile': `${system}RUN mkdir /www && echo hello > /www/index.html\nCMD ["httpd", "-f", "-p", "8080", "-h", "/www"]\n`,
  'tests/Dockerfile': `${system}WORKDIR /\nCMD ["sh"]\n`,
};

function defineTests(get: () => Session, { runsContainers, isWhole }: EngineScope): void {
  afterEach(async () => assert.deepEqual(await leftovers(get()), [], 'nothing is left on the engine'));

  test('a quick build: the base that was pushed is recorded by its digest, secrets stay out of the image', async () => {
    const session = get();
    const base = await execute(session, { kind: 'build', images: ['base:1'] }, { files: { Dockerfile: system } });
    assert.equal(base.end.outcome, 'Succeeded', base.log.join('\n'));
    const [pushed] = base.end.images;
    assert.equal(pushed?.repository, 'base');
    assert.deepEqual(pushed.platforms, ['linux/amd64']);
    assert.ok((pushed.sizeBytes ?? 0) > 100_000);
    const dockerfile = `ARG B\nFROM ${session.registry.host}/base:\${B}\nARG GREETING\nRUN --mount=type=secret,id=TOKEN test "$(wc -c < /run/secrets/TOKEN)" = 6 && echo $GREETING > /greeting\n`;
    const work: Assignment['work'] = {
      kind: 'build',
      images: ['app:{{.Run.ID}}', `${session.registry.host}/other/app`],
      arguments: [
        { name: 'B', value: '1' },
        { name: 'GREETING', value: 'hello, you' },
        { name: 'TOKEN', value: 's3cret', isSecret: true },
      ],
    };
    const { id, end, log, steps } = await execute(session, work, {
      files: { Dockerfile: dockerfile },
    });
    assert.equal(end.outcome, 'Succeeded', log.join('\n'));
    assert.deepEqual(
      steps.map(({ id, state, exitCode, attempts }) => ({ id, state, exitCode, attempts })),
      ['build', 'push'].map((id) => ({ id, state: 'succeeded', exitCode: 0, attempts: 1 })),
    );
    assert.deepEqual(
      end.images.map(({ repository, tag }) => `${repository}:${tag}`),
      [`app:${id}`, 'other/app:latest'],
    );
    const bases = [{ role: 'runtime', registry: session.registry.host, repository: 'base', tag: '1', digest: pushed.digest }];
    assert.deepEqual(
      end.dependencies,
      end.images.map((image) => ({ step: 'build', image, bases, gitCommit: 'c0ffee' })),
    );
    const access = new RegistryAccess(session.registry.host, loginsOf(session), AbortSignal.timeout(10_000));
    const manifest = await access.manifest('app', id);
    assert.ok(manifest?.digest === end.images[0]?.digest);
    const { config } = JSON.parse(manifest?.bytes.toString() ?? '') as { config: { digest: string } };
    const history = (await access.blob('app', config.digest)).toString();
    assert.ok(!history.includes('s3cret'), 'the secret is not in the history');
    assert.ok(!log.join('\n').includes('s3cret'));
  });

  test('a build whose base cannot be had fails before it begins, with the line', async () => {
    const files = { Dockerfile: `# a comment\nFROM ${get().registry.host}/nowhere:1\n` };
    const { end, steps } = await execute(get(), { kind: 'build', images: ['x'] }, { files });
    assert.equal(end.outcome, 'Failed');
    assert.match(end.message ?? '', /the step build failed: Dockerfile:2: \S+\/nowhere:1 cannot be pulled/);
    assert.deepEqual(
      steps.map(({ state }) => state),
      ['failed', 'skipped'],
    );
  });

  test('a failing build keeps its exit code, its last lines and what it depends on', async () => {
    const session = get();
    await execute(session, { kind: 'build', images: ['base:1'] }, { files: { Dockerfile: system } });
    const files = { Dockerfile: `FROM ${session.registry.host}/base:1\nRUN echo it broke here && exit 7\n` };
    const { end, steps } = await execute(session, { kind: 'build', images: ['x'] }, { files });
    assert.equal(end.outcome, 'Failed');
    assert.match(end.message ?? '', /it broke here|exit code: 7|exit status 7/);
    assert.equal(steps[0]?.state, 'failed');
    assert.ok((steps[0]?.exitCode ?? 0) > 0);
    assert.equal(end.dependencies[0]?.bases[0]?.repository, 'base');
  });

  test('a broken task file, and what no run may do, is refused before anything runs, with the place', async () => {
    const refusals: readonly (readonly [content: string, message: RegExp])[] = [
      ['version: v1.1.0\nsteps:\n  - cmdd: bash\n', /the task file:3:\d+: /],
      ['steps:\n  - cmd: --privileged x\n', /the task file:2:\d+: cmd of the step acb_step_0 has --privileged/],
      ['steps:\n  - cmd: -v /etc:/x x\n', /folders of the agent's machine/],
      ['steps:\n  - cmd: -v /var/run/docker.sock:/var/run/docker.sock x\n', /the engine's socket/],
      ['steps:\n  - cmd: x\n    privileged: true\n', /is privileged/],
      ['steps:\n  - build: --output type=local,dest=/ .\n', /--output/],
    ];
    for (const [content, message] of refusals) {
      const { end, steps } = await execute(get(), { kind: 'inline', content });
      assert.equal(end.outcome, 'Failed');
      assert.match(end.message ?? '', message);
      assert.deepEqual(steps, []);
    }
    const missing = await execute(get(), { kind: 'file', path: 'acb.yaml' });
    assert.equal(missing.end.message, 'acb.yaml does not exist in the source');
  });

  test('attack 33: a run of an untrusted source pushes nothing', async () => {
    const { end, steps } = await execute(
      get(),
      { kind: 'build', images: ['fork:1'] },
      { files: { Dockerfile: system }, assignment: { isTrusted: false } },
    );
    assert.equal(end.outcome, 'Succeeded');
    assert.deepEqual(end.images, []);
    assert.equal(steps[1]?.state, 'skipped');
  });

  test('a build for two platforms becomes one index', async () => {
    const session = get();
    const files = { Dockerfile: 'FROM scratch\nARG TARGETARCH\nCOPY busybox /busybox-$TARGETARCH\n' };
    const work: Assignment['work'] = { kind: 'build', images: ['multi:1'], platforms: ['linux/amd64', 'linux/arm64'] };
    const { id, end, log } = await execute(session, work, { files });
    assert.equal(end.outcome, 'Succeeded', log.join('\n'));
    assert.deepEqual(end.images[0]?.platforms, ['linux/amd64', 'linux/arm64']);
    assert.deepEqual(
      end.temporaryTags,
      ['amd64', 'arm64'].map((architecture) => `multi:_berth-${id}-linux-${architecture}`),
    );
    const access = new RegistryAccess(session.registry.host, loginsOf(session), AbortSignal.timeout(10_000));
    const index = await access.manifest('multi', '1');
    assert.equal(index?.digest, end.images[0]?.digest);
    assert.equal(index?.mediaType, 'application/vnd.oci.image.index.v1+json');
  });

  if (runsContainers) defineContainerTests(get, isWhole);
  if (isWhole) defineOutcomeTests(get);
}

/** What any engine that runs containers makes alike of steps: it is this program that decides. */
function defineOutcomeTests(get: () => Session): void {
  test('a failure stops the run, but for steps that are there for it; the message has the exit code and the last lines', async () => {
    const content = `steps:
  - build: -t tool .
  - id: bad
    cmd: tool sh -c "echo the reason >&2; exit 3"
    retries: 1
    retryDelay: 1
  - id: never
    cmd: tool true
  - id: tell
    cmd: tool echo told
    when: [bad]
    condition: failure
  - id: last
    cmd: tool sh -c "exit 4"
    when: [tell]
    condition: always
    exitedWith: [4]
`;
    const { end, steps, log } = await execute(get(), { kind: 'inline', content }, { files: { Dockerfile: system } });
    assert.equal(end.outcome, 'Failed');
    assert.match(
      end.message ?? '',
      /^the step bad failed: exit code 3\n(?:failed to connect to syslog.*\n)?the reason$/,
      log.join('\n'),
    );
    assert.deepEqual(
      steps.map(({ id, state, exitCode, attempts }) => `${id} ${state} ${exitCode} ${attempts}`),
      ['acb_step_0 succeeded 0 1', 'bad failed 3 2', 'never skipped null 0', 'tell succeeded 0 1', 'last succeeded 4 1'],
    );
  });

  test('a detached container that ends early is told of, and images of other runs are not this one’s', async () => {
    const content = `steps:
  - build: -t tool .
  - id: crash
    cmd: tool sh -c "echo going down; exit 9"
    detach: true
  - id: wait
    cmd: tool sleep 3
`;
    const { end, steps, log } = await execute(get(), { kind: 'inline', content }, { files: { Dockerfile: system } });
    assert.equal(end.outcome, 'Succeeded', log.join('\n'));
    assert.match(steps[1]?.reason ?? '', /ended with exit code 9/);
    assert.ok(log.includes('crash stdout going down'));
    const other = await execute(get(), { kind: 'inline', content: 'steps:\n  - cmd: tool true\n' });
    assert.equal(other.end.outcome, 'Failed');
    assert.match(other.end.message ?? '', /tool cannot be pulled/);
  });
}

function defineContainerTests(get: () => Session, isWhole: boolean): void {
  test('an agent that starts removes what its predecessor left, but for runs that go on', async () => {
    const { engine } = get();
    const labels = (run: string): string[] => ['--label', `berth.agent=agent-${process.pid}`, '--label', `berth.run=${run}`];
    await engine.query(['network', 'create', ...labels('reg/one'), 'berth-left-one']);
    await engine.query(['volume', 'create', ...labels('reg/two'), 'berth-left-two']);
    await cleanUp(engine, `agent-${process.pid}`, ['reg/one']);
    assert.equal((await leftovers(get())).length, 1);
    await cleanUp(engine, 'another', []);
    assert.equal((await leftovers(get())).length, 1);
    await cleanUp(engine, `agent-${process.pid}`);
  });

  test('six steps: build, run detached, build tests, run them against it by its name, use the workspace, push', async () => {
    const session = get();
    const files = { ...sixStepFiles, 'acb.yaml': sixSteps };
    const { id, end, steps, log } = await execute(session, { kind: 'file', path: 'acb.yaml' }, { files });
    assert.equal(end.outcome, 'Succeeded', log.join('\n'));
    assert.deepEqual(
      steps.map(({ id, state }) => `${id} ${state}`),
      ['app', 'running', 'tests', 'check', 'note', 'acb_step_5'].map((id) => `${id} succeeded`),
    );
    assert.ok(log.includes(`note stdout ${id} is checked`), log.join('\n'));
    assert.deepEqual(
      end.images.map(({ tag }) => tag),
      [id, 'latest'],
    );
  });

  test('attack 34: a step that ignores signals is ended, and a step has no more than its time', async () => {
    const content = `steps:
  - build: -t tool .
  - id: deaf
    cmd: tool sh -c "trap '' TERM; echo ready; while true; do sleep 1; done"
    timeout: 600
`;
    const canceled = Promise.withResolvers<RunStop>();
    const first = await execute(
      get(),
      { kind: 'inline', content },
      {
        files: { Dockerfile: system },
        stop: canceled.promise,
        onLine: (step, text) => step === 'deaf' && text === 'ready' && canceled.resolve('canceled'),
      },
    );
    assert.equal(first.end.outcome, 'Canceled');
    assert.deepEqual(
      first.steps.map(({ state }) => state),
      ['succeeded', 'canceled'],
    );
    // Stopping takes as long again.
    if (!isWhole) return;
    const short = content.replace('timeout: 600', 'timeout: 1');
    const second = await execute(get(), { kind: 'inline', content: short }, { files: { Dockerfile: system } });
    assert.equal(second.end.outcome, 'Failed');
    assert.match(second.end.message ?? '', /the step deaf failed: it took longer than its timeout of 1 s/);
  });

  test('values reach containers as they are, whatever they hold and are called; secret files stay out of the workspace', async () => {
    const content = `secrets:
  - id: password
    keyvault: https://berth/secrets/password
volumes:
  - name: files
    secret:
      key.txt: {{ b64enc "in a file" }}
steps:
  - build: -t tool .
  - id: show
    cmd: tool sh -c 'test "$SECRET" = "$EXPECTED" && test "$LD_PRELOAD" = /x && test "$(cat /run/files/key.txt)" = "in a file" && test "$HOME" = /acb/home && test -s $HOME/.docker/config.json && test ! -e /workspace/key.txt && id -u'
    user: "1000"
    env: ['SECRET={{.Secrets.password}}', 'EXPECTED={{.Values.expected}}', LD_PRELOAD=/x]
    volumeMounts: [{ name: files, mountPath: /run/files }]
`;
    const secret = `two\\nlines: "{{x}}" $(id) 'q'`;
    const { end, log } = await execute(
      get(),
      { kind: 'inline', content },
      {
        files: { Dockerfile: system },
        secrets: { password: secret },
        assignment: { values: [{ name: 'expected', value: 'never' }] },
      },
    );
    assert.equal(end.outcome, 'Failed', log.join('\n'));
    const right = content.replace('EXPECTED={{.Values.expected}}', 'EXPECTED={{.Secrets.password}}');
    const again = await execute(
      get(),
      { kind: 'inline', content: right },
      { files: { Dockerfile: system }, secrets: { password: secret } },
    );
    assert.equal(again.end.outcome, 'Succeeded', again.log.join('\n'));
    assert.ok(again.log.includes('show stdout 1000'));
  });
}

withEveryEngine(defineTests);
