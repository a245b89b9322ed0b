import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TaskFileError } from '../task-file-error.ts';
import { type Step, type TaskFile, isSuccess } from './model.ts';
import { type TaskFileInput, aliasSources, parseTaskFile } from './parse-task-file.ts';

const run = {
  ID: 'ca7',
  Registry: 'r.example.com',
  RegistryName: 'r',
  Date: '20300102-030405z',
  OS: 'linux',
  Architecture: 'amd64',
};
const nonce = 'k3Jd82hFq0Zx7Lm5';

function parse(source: string, more: Partial<TaskFileInput> = {}): TaskFile {
  return parseTaskFile({ source, run, values: {}, nonce, ...more });
}

function stepOf(source: string, more: Partial<TaskFileInput> = {}): Step {
  const [step] = parse(`steps:\n  - ${source}`, more).steps;
  assert.ok(step !== undefined);
  return step;
}

/** The example of acr-tasks 1.4. */
const example = `version: v1.1.0
steps:
  - id: app
    build: -t $Registry/app:$ID .
    when: ["-"]
  - id: tests
    build: -t app-tests ./tests
    when: ["-"]
  - id: web
    cmd: $Registry/app:$ID
    detach: true
    when: [app]
  - id: check
    cmd: app-tests --url http://web:8080
    retries: 3
    when: [web, tests]
  - push: ["$Registry/app:$ID"]
    when: [check]
`;

test('the example of the web application', () => {
  const { version, steps, dependencies } = parse(example);
  assert.equal(version, 'v1.1.0');
  assert.deepEqual(
    steps.map(({ id, action }) => [id, action.kind]),
    [
      ['app', 'build'],
      ['tests', 'build'],
      ['web', 'cmd'],
      ['check', 'cmd'],
      ['acb_step_4', 'push'],
    ],
  );
  assert.deepEqual(Object.fromEntries(dependencies), {
    app: [],
    tests: [],
    web: ['app'],
    check: ['web', 'tests'],
    acb_step_4: ['check'],
  });
  const [app, , web, check, push] = steps;
  assert.ok(
    app?.action.kind === 'build' && web?.action.kind === 'cmd' && check?.action.kind === 'cmd' && push?.action.kind === 'push',
  );
  assert.deepEqual(app.action.build.tags, ['r.example.com/app:ca7']);
  assert.deepEqual([web.action.command.image, web.isDetached], ['r.example.com/app:ca7', true]);
  assert.deepEqual(check.action.command, { flags: [], image: 'app-tests', arguments: ['--url', 'http://web:8080'] });
  assert.deepEqual([check.retries, check.retryDelaySeconds, check.timeoutSeconds], [3, 5, 600]);
  assert.deepEqual(push.action.images, ['r.example.com/app:ca7']);
});

test('defaults, and what the file gives to its steps', () => {
  const plain = stepOf('cmd: bash');
  assert.deepEqual(
    { ...plain, action: undefined, place: undefined },
    {
      id: 'acb_step_0',
      action: undefined,
      when: undefined,
      condition: 'success',
      timeoutSeconds: 600,
      startDelaySeconds: 0,
      ignoresErrors: false,
      environment: [],
      retries: 0,
      retryDelaySeconds: 5,
      retryOnErrors: [],
      repeat: 0,
      downloadRetries: 0,
      downloadRetryDelaySeconds: 0,
      pulls: false,
      entryPoint: undefined,
      isKept: false,
      isDetached: false,
      isPrivileged: false,
      user: undefined,
      network: undefined,
      ports: [],
      expose: [],
      isolation: undefined,
      cpus: undefined,
      workingDirectory: '/workspace',
      volumeMounts: [],
      exitedWith: [],
      exitedWithout: [],
      place: undefined,
    },
  );
  const [step] = parse(`stepTimeout: 60
workingDirectory: sub/dir
env: ["A=1", "B=x,y"]
steps:
  - cmd: bash
    env: ["A=2", "C="]
`).steps;
  assert.deepEqual(
    [step?.timeoutSeconds, step?.workingDirectory, step?.environment],
    [60, '/workspace/sub/dir', ['A=2', 'B=x,y', 'C=']],
  );
  assert.equal(stepOf('cmd: a\n    workingDirectory: /abs').workingDirectory, '/abs');
  assert.equal(stepOf('cmd: a\n    disableWorkingDirectoryOverride: true').workingDirectory, undefined);
  assert.deepEqual(stepOf('push: [a, a, "b:1", "c@sha256:x", "h:5000/d"]').action, {
    kind: 'push',
    images: ['a:latest', 'b:1', 'c@sha256:x', 'h:5000/d:latest'],
  });
});

test('values, missing keys, comments and JSON of the run', () => {
  const source = `# {{ this is no template
steps:
  - cmd: img {{ .Values.a }}{{ .Values.none }} {{ .Run.ID }} {{ .Build.ID }}
    # {{ nor this
  - cmd: |
      sh -c "
      # a comment of the script
      echo {{ .Values.a }}"
  - cmd: img {{ .ValuesJSON }}
`;
  const { steps } = parse(source, { values: { a: 'one' } });
  const words = steps.map(({ action }) => (action.kind === 'cmd' ? action.command.arguments : []));
  assert.deepEqual(words[0], ['one', 'ca7', 'ca7']);
  assert.deepEqual(words[1], ['-c', '\n# a comment of the script\necho one']);
  assert.deepEqual(words[2], ['{"a":"one"}']);
});

test('aliases: built in, own, from sources, bare first words, and another sign', () => {
  const file = (alias: string, cmd: string): string => `version: v1.1.0\n${alias}\nsteps:\n  - cmd: ${cmd}\n`;
  const command = (source: string, more: Partial<TaskFileInput> = {}): readonly string[] => {
    const action = parse(source, more).steps[0]?.action;
    return action?.kind === 'cmd' ? [action.command.image, ...action.command.arguments] : [];
  };
  assert.deepEqual(command(file('', 'img $ID-$Registry $$5 $unknown ${ID} $Date')), [
    'img',
    'ca7-r.example.com',
    '$5',
    '$unknown',
    '${ID}',
    '20300102-030405z',
  ]);
  assert.deepEqual(command(file('', 'bash echo bash')), ['mcr.microsoft.com/acr/bash:latest', 'echo', 'bash']);
  assert.deepEqual(command(file('', 'bash x'), { aliases: { images: { bash: 'local/bash:1' } } }), ['local/bash:1', 'x']);
  const own = 'alias:\n  values:\n    hello: "{{.Run.ID}}-world"\n    tool: img:2\n';
  assert.deepEqual(command(file(own, 'tool $hello')), ['img:2', 'ca7-world']);
  const sourced = 'alias:\n  src: [a.yaml, b.yaml]\n  values:\n    x: inline\n';
  assert.deepEqual(aliasSources({ source: file(sourced, 'a'), run, values: {} }), ['a.yaml', 'b.yaml']);
  const sources = new Map([
    ['a.yaml', 'x: a\ny: a\nz: a'],
    ['b.yaml', 'y: b\nID: mine'],
  ]);
  assert.deepEqual(command(file(sourced, 'img $x $y $z $ID'), { aliases: { sources } }), ['img', 'inline', 'b', 'a', 'mine']);
  assert.deepEqual(command(file('alias:\n  directive: "%"\n', 'img %ID $ID %%')), ['img', 'ca7', '$ID', '%']);
  // Aliases come with v1.1.0, in any case of its letter.
  assert.deepEqual(command('version: V1.1.0\nsteps:\n  - cmd: img $ID\n'), ['img', 'ca7']);
  assert.deepEqual(command('version: v1.0.0\nsteps:\n  - cmd: img $ID\n'), ['img', '$ID']);
});

test('attack 34: a secret or value that looks like YAML, a template or a shell stays one word', () => {
  const evil = `x" - cmd: rm\n  privileged: true {{ .Run.ID }} $ID && 'y`;
  const source = `version: v1.1.0
secrets:
  - id: token
    keyvault: https://v.example.com/secrets/token
steps:
  - cmd: img --token {{ .Secrets.token }} -x={{ .Secrets.token }}
    env: ["TOKEN={{ .Secrets.token }}"]
`;
  const { steps, secrets } = parse(source, { secrets: new Map([['token', evil]]) });
  assert.equal(steps.length, 1);
  const [step] = steps;
  assert.ok(step?.action.kind === 'cmd');
  assert.deepEqual(step.action.command.arguments, ['--token', evil, `-x=${evil}`]);
  assert.deepEqual(step.environment, [`TOKEN=${evil}`]);
  assert.deepEqual(secrets, [{ id: 'token', keyvault: 'https://v.example.com/secrets/token', clientId: undefined }]);
  // Before they are resolved the file is read without them.
  assert.equal(parse(source).secrets.length, 1);
});

test('networks and volumes', () => {
  const { networks, volumes } = parse(
    `networks:
  - name: one
  - name: two
    driver: bridge
    ipv6: true
    skipCreation: true
    isDefault: true
volumes:
  - name: files
    secret:
      a.txt: aGVsbG8=
      b: "{{ .Values.b | b64enc }}"
steps:
  - cmd: img
    volumeMounts:
      - name: files
        mountPath: /run/files
`,
    { values: { b: 'bee' } },
  );
  assert.deepEqual(networks, [
    { name: 'one', driver: undefined, isIpv6: false, skipsCreation: false, isDefault: false },
    { name: 'two', driver: 'bridge', isIpv6: true, skipsCreation: true, isDefault: true },
  ]);
  assert.deepEqual(
    [...(volumes[0]?.files ?? [])].map(([name, bytes]) => [name, bytes.toString()]),
    [
      ['a.txt', 'hello'],
      ['b', 'bee'],
    ],
  );
});

test('exit codes', () => {
  assert.deepEqual(
    [0, 1].map((code) => isSuccess(code, stepOf('cmd: a'))),
    [true, false],
  );
  assert.deepEqual(
    [0, 1, 3].map((code) => isSuccess(code, stepOf('cmd: a\n    exitedWith: [0, 3]'))),
    [true, false, true],
  );
  assert.deepEqual(
    [0, 1, 3].map((code) => isSuccess(code, stepOf('cmd: a\n    exitedWithout: [1]'))),
    [true, false, true],
  );
});

const refused: readonly (readonly [title: string, source: string, problems: readonly string[]])[] = [
  ['nothing', '', ['a task file is a map with version and steps']],
  ['no steps', 'version: v1.0.0\n', ['1:1: the task file has no steps']],
  [
    'an unknown version',
    'version: 1.1.0\nsteps: [{cmd: a}]',
    ['the version "1.1.0" is not known; there are 1.0-preview-1, v1.0.0, v1.1.0'],
  ],
  [
    'broken YAML',
    'steps:\n  - cmd: [a\n',
    ['3:1: Flow sequence in block collection must be sufficiently indented and end with a ]'],
  ],
  ['a broken template', 'steps:\n  - cmd: a {{ .x', ['2:12: the {{ here is not closed by }}']],
  [
    'unknown keys, all of them',
    'stepTimout: 5\nsteps:\n  - cmd: a\n    retires: 2\n    foo: 1\n',
    [
      '1:1: stepTimout is not known; did you mean stepTimeout?',
      '4:5: steps[0].retires is not known; did you mean retries?',
      '5:5: steps[0].foo is not known',
    ],
  ],
  ['two actions', 'steps:\n  - cmd: a\n    build: .\n', ['2:5: steps[0] has build and cmd: a step has one of them']],
  ['no action', 'steps:\n  - id: x\n', ['2:5: steps[0] has none of build, push and cmd']],
  [
    'a shell',
    'steps:\n  - cmd: a && b\n',
    ['2:10: steps[0].cmd holds &&, which only a shell understands: quote it, or give the image a shell, such as … sh -c "…"'],
  ],
  [
    'an unknown flag',
    'steps:\n  - build: -t a --no-cahe .\n',
    ['2:12: steps[0].build has --no-cahe, which is not known; did you mean --no-cache?'],
  ],
  ['ids twice', 'steps:\n  - id: a\n    cmd: x\n  - id: a\n    cmd: y\n', ['4:5: two steps have the id a']],
  [
    'a bad id',
    'steps:\n  - id: acb_root\n    cmd: x\n',
    ['2:9: the id of a step has no spaces, is not acb_root, and has 128 characters at the most'],
  ],
  [
    'a cycle',
    'steps:\n  - {id: a, cmd: x, when: [b]}\n  - {id: b, cmd: x, when: [a]}\n',
    ['2:5: these steps wait for one another: a → b → a'],
  ],
  ['an unknown step', 'steps:\n  - {id: a, cmd: x, when: [z]}\n', ['2:5: the step a waits for z, which is no step']],
  [
    'wrong kinds',
    'steps:\n  - cmd: x\n    retries: many\n    detach: perhaps\n    timeout: -1\n',
    [
      '5:14: steps[0].timeout is a whole number from 0 to 28800',
      '3:14: steps[0].retries is a whole number from 0 to 1000',
      '4:13: steps[0].detach is true or false',
    ],
  ],
  [
    'mounts on a push',
    'steps:\n  - push: [a]\n    volumeMounts: [{name: v, mountPath: /x}]\n',
    ['3:19: a push has no volumeMounts', '2:5: the step acb_step_0 mounts the volume v, which is not declared'],
  ],
  [
    'a secret without a vault',
    'secrets: [{id: a}]\nsteps: [{cmd: x}]',
    ['1:11: secrets[0].keyvault is the address of a secret: https://VAULT/secrets/NAME, or https://berth/secrets/NAME'],
  ],
  ['aliases without their version', 'alias: {values: {a: b}}\nsteps: [{cmd: x}]', ['alias needs version: v1.1.0']],
  [
    'an alias with a hyphen',
    'version: v1.1.0\nalias: {values: {a-b: c}}\nsteps: [{cmd: x}]',
    ['alias.values has the name "a-b"; names are letters and digits'],
  ],
  ['a variable that is none', 'steps:\n  - cmd: x\n    env: ["=1"]\n', ['2:5: env has "=1", which is not NAME=value']],
  [
    'exit codes both ways',
    'steps:\n  - cmd: x\n    exitedWith: [1]\n    exitedWithout: [2]\n',
    ['2:5: exitedWith and exitedWithout exclude each other'],
  ],
  ['a key twice', 'steps:\n  - cmd: x\n    cmd: y\n', ['3:5: Map keys must be unique']],
];
for (const [title, source, problems] of refused)
  test(`refuses ${title}`, () => {
    assert.throws(
      () => parse(source),
      (error) => {
        assert.ok(error instanceof TaskFileError);
        assert.deepEqual(error.message.split('\n').toSorted(), [...problems].toSorted());
        return true;
      },
    );
  });

test('anchors are followed, and a bomb of them does not explode', () => {
  assert.equal(stepOf('&x {cmd: a, retries: 2}').retries, 2);
  const { steps } = parse('steps:\n  - &x {cmd: a}\n  - cmd: b\n    env: &e ["A=1"]\n  - {cmd: c, env: *e}\n');
  assert.deepEqual(steps[2]?.environment, ['A=1']);
  const levels = Array.from(
    { length: 30 },
    (_, level) => `a${level}: &a${level} [${level === 0 ? 'x' : `*a${level - 1}, `.repeat(9)}]`,
  );
  assert.throws(() => parse(`${levels.join('\n')}\nsteps: [{cmd: x}]`), /a0 is not known/);
});
