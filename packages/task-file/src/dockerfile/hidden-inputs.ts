import { DockerfileParser, type Instruction, JSONInstruction } from 'dockerfile-ast';
import { maxDockerfileLength } from './scan-dockerfile.ts';

/** What a step's image depends on beside its text, the files that it copies and what is below it. */
export interface HiddenInput {
  /** Counts from 1. */
  readonly line: number;
  readonly reason: string;
}

const unseen = ', which does not count when a step is found again';
/** Variables are filled in there, as in COPY and ADD, whose texts are taken with what they copy. */
const filledIn: ReadonlySet<string> = new Set(['ENV', 'EXPOSE', 'LABEL', 'STOPSIGNAL', 'USER', 'VOLUME', 'WORKDIR']);

/**
 * The first step that must not be found again by its text, as podman and buildah do: one that uses an argument where they note its
 * name only (up to podman 5.4, all but RUN, COPY and ADD), or mounts files of the context or of another stage (up to podman 4).
 */
export function findHiddenInput(text: string): HiddenInput | undefined {
  if (text.length > maxDockerfileLength) return { line: 1, reason: `it has more than ${maxDockerfileLength} characters` };
  const instructions = DockerfileParser.parse(text.replace(/^\uFEFF/, '')).getInstructions();
  const declared = new Set(instructions.filter((each) => each.getKeyword() === 'ARG').flatMap(namesOf));
  for (const instruction of instructions) {
    const line = instruction.getRange().start.line + 1;
    const keyword = instruction.getKeyword();
    if (keyword === 'RUN' && mountsFiles(instruction)) return { line, reason: `RUN mounts files${unseen}` };
    if (!filledIn.has(keyword)) continue;
    const used = instruction.getVariables().find((variable) => declared.has(variable.getName()));
    if (used !== undefined) return { line, reason: `${keyword} uses the argument ${used.getName()}${unseen}` };
  }
  return undefined;
}

function namesOf(argument: Instruction): readonly string[] {
  return argument.getArguments().map((each) => each.getValue().split('=', 1)[0] ?? '');
}

/** `RUN --mount=type=bind`, which is what a mount without a type is. */
function mountsFiles(instruction: Instruction): boolean {
  if (!(instruction instanceof JSONInstruction)) return false;
  return instruction.getFlags().some((flag) => {
    if (flag.getName() !== 'mount') return false;
    const parts = (flag.getValue() ?? '').split(',');
    const type = parts.find((part) => part.startsWith('type='))?.slice('type='.length);
    return type === undefined || type === 'bind' || parts.some((part) => part.startsWith('from='));
  });
}
