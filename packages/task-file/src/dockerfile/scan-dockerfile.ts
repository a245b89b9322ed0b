import { Copy, type Dockerfile, DockerfileParser, From, type Instruction, JSONInstruction } from 'dockerfile-ast';
import { expandVariables } from './expand-variables.ts';
import { type ImageReference, parseImageReference } from './image-reference.ts';

/** An image that a Dockerfile builds on (acr-tasks 5.1). */
export interface BaseImage {
  /** What the built image begins as, or what only helps to build it. */
  readonly role: 'runtime' | 'buildtime';
  /** As the Dockerfile says it, with variables filled in: what an engine would look up. */
  readonly name: string;
  readonly reference: ImageReference;
  /** Of `FROM --platform`. */
  readonly platform: string | undefined;
  /** Counts from 1. */
  readonly line: number;
}

export interface ScanOptions {
  readonly target?: string | undefined;
  /** `--build-arg`: they win over what the file says. */
  readonly arguments?: ReadonlyMap<string, string>;
  /** The platform that is built for, `linux/arm64/v8`. */
  readonly platform?: string | undefined;
  /** That of the machine that builds; by itself that which is built for. */
  readonly buildPlatform?: string | undefined;
}

export interface DockerfileScan {
  readonly images: readonly BaseImage[];
  /** What could not be understood: builds go on, but such an image is not watched. */
  readonly warnings: readonly string[];
}

/** In characters. Longer ones are not taken apart. */
export const maxDockerfileLength = 1024 * 1024;

interface Stage {
  readonly name: string | undefined;
  readonly base: string;
  readonly platform: string | undefined;
  readonly line: number;
  /** Images and stages that it copies or mounts from. */
  readonly uses: { readonly name: string; readonly line: number }[];
}

/** Which images a Dockerfile needs for its target, the runtime image of the target first. Stages that the target does not need are left out. */
export function scanDockerfile(text: string, options: ScanOptions = {}): DockerfileScan {
  if (text.length > maxDockerfileLength)
    return {
      images: [],
      warnings: [`the Dockerfile has more than ${maxDockerfileLength} characters; its base images are not known`],
    };
  const warnings: string[] = [];
  const stages = stagesOf(DockerfileParser.parse(text.replace(/^\uFEFF/, '')), options);
  const target = findTarget(stages, options.target);
  if (target === undefined) {
    warnings.push(options.target === undefined ? 'the Dockerfile has no FROM' : `the Dockerfile has no stage ${options.target}`);
    return { images: [], warnings };
  }
  const images = new Map<string, BaseImage>();
  const seen = new Set<number>();
  const add = (image: Omit<BaseImage, 'reference'>): void => {
    if (image.name.toLowerCase() === 'scratch') return;
    const reference = parseImageReference(image.name);
    const key = `${image.name} ${image.platform ?? ''}`;
    if (reference === undefined)
      warnings.push(`line ${image.line}: ${JSON.stringify(image.name)} is no name of an image; it is not watched`);
    else if (!images.has(key)) images.set(key, { ...image, reference });
  };
  const visit = (index: number, role: BaseImage['role']): void => {
    const stage = stages[index];
    if (stage === undefined || seen.has(index)) return;
    seen.add(index);
    const base = stageIndex(stages, stage.base, index);
    if (base === undefined) add({ role, name: stage.base, platform: stage.platform, line: stage.line });
    else visit(base, role);
    for (const { name, line } of stage.uses) {
      const used = stageIndex(stages, name, index);
      if (used === undefined) add({ role: 'buildtime', name, platform: undefined, line });
      else visit(used, 'buildtime');
    }
  };
  visit(target, 'runtime');
  return {
    images: [...images.values()].toSorted((a, b) => Number(a.role === 'buildtime') - Number(b.role === 'buildtime')),
    warnings,
  };
}

function stagesOf(file: Dockerfile, { arguments: given = new Map(), platform, buildPlatform }: ScanOptions): Stage[] {
  const globals = new Map<string, string>(platformArguments(platform, buildPlatform));
  const stages: Stage[] = [];
  let local = new Map<string, string>();
  for (const instruction of file.getInstructions()) {
    const stage = stages.at(-1);
    const valueOf = (name: string): string | undefined => (stage === undefined ? globals.get(name) : local.get(name));
    if (instruction.getKeyword() === 'ARG') {
      declare(instruction, { into: stage === undefined ? globals : local, globals, given, valueOf });
    } else if (instruction instanceof From) {
      stages.push(stageOf(instruction, (name) => globals.get(name)));
      local = new Map();
    } else if (stage !== undefined) stage.uses.push(...usesOf(instruction, valueOf));
  }
  return stages;
}

function stageOf(from: From, valueOf: (name: string) => string | undefined): Stage {
  const platform = from.getPlatformFlag()?.getValue() ?? undefined;
  return {
    name: from.getBuildStage()?.toLowerCase(),
    base: expandVariables(unquoted(from.getImage() ?? ''), valueOf),
    platform: platform === undefined ? undefined : expandVariables(platform, valueOf),
    line: from.getRange().start.line + 1,
    uses: [],
  };
}

interface Declaration {
  readonly into: Map<string, string>;
  readonly globals: ReadonlyMap<string, string>;
  readonly given: ReadonlyMap<string, string>;
  readonly valueOf: (name: string) => string | undefined;
}

/** `ARG A=1 B="2" C`: a build argument wins over the default, and a stage takes over what stands before the first FROM. */
function declare(instruction: Instruction, { into, globals, given, valueOf }: Declaration): void {
  for (const argument of instruction.getArguments()) {
    const text = argument.getValue();
    const equals = text.indexOf('=');
    const name = equals === -1 ? text : text.slice(0, equals);
    const fallback = equals === -1 ? globals.get(name) : expandVariables(unquoted(text.slice(equals + 1)), valueOf);
    const value = given.get(name) ?? fallback;
    if (value !== undefined) into.set(name, value);
  }
}

/** `COPY --from=`, `ADD --from=` and `RUN --mount=from=`. */
function usesOf(instruction: Instruction, valueOf: (name: string) => string | undefined): Stage['uses'] {
  const line = instruction.getRange().start.line + 1;
  const found: string[] = [];
  if (instruction instanceof Copy) found.push(instruction.getFromFlag()?.getValue() ?? '');
  if (instruction instanceof JSONInstruction && instruction.getKeyword() === 'RUN')
    for (const flag of instruction.getFlags())
      if (flag.getName() === 'mount')
        found.push(...(flag.getValue() ?? '').split(',').flatMap((part) => part.match(/^from=(.+)/)?.[1] ?? []));
  return found.filter((name) => name !== '').map((name) => ({ name: expandVariables(unquoted(name), valueOf), line }));
}

/** Names are compared whatever their case; numbers count stages from 0. Only earlier stages can be used. */
function stageIndex(stages: readonly Stage[], name: string, before: number): number | undefined {
  const byName = stages.findLastIndex((stage, index) => index < before && stage.name === name.toLowerCase());
  if (byName !== -1) return byName;
  return /^\d+$/.test(name) && Number(name) < before ? Number(name) : undefined;
}

function findTarget(stages: readonly Stage[], target: string | undefined): number | undefined {
  if (target === undefined || target === '') return stages.length === 0 ? undefined : stages.length - 1;
  return stageIndex(stages, target, stages.length);
}

/** What BuildKit declares by itself. */
function platformArguments(platform = 'linux/amd64', buildPlatform = platform): readonly (readonly [string, string])[] {
  const [os = '', architecture = '', variant = ''] = platform.split('/');
  const [buildOs = '', buildArchitecture = ''] = buildPlatform.split('/');
  return [
    ['TARGETPLATFORM', platform],
    ['TARGETOS', os],
    ['TARGETARCH', architecture],
    ['TARGETVARIANT', variant],
    ['BUILDPLATFORM', buildPlatform],
    ['BUILDOS', buildOs],
    ['BUILDARCH', buildArchitecture],
  ];
}

function unquoted(text: string): string {
  return text.replace(/^(["'])(.*)\1$/s, '$2');
}
