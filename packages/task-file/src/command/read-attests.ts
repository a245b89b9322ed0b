import type { Flag } from './read-flags.ts';

/** Which documents a build asks for, to be attached to its image. */
export interface Attests {
  readonly sbom: boolean;
  readonly provenance: boolean;
}

type Kind = keyof Attests;

/** Flags of docker build that ask for documents. */
export const attestFlags = ['attest', 'provenance', 'sbom'] as const;

/** What others of docker's attributes would ask for does not exist here: one list, one statement, both whole. */
const attributes: Readonly<Record<Kind, RegExp>> = { sbom: /^(?!)/, provenance: /^mode=(?:min|max)$/ };

/**
 * `--sbom=true`, `--provenance=mode=max`, `--attest type=sbom`, as docker build takes them; the last of a kind counts.
 * @throws Error whose message goes on after `build`
 */
export function readAttests(flags: readonly Flag[]): Attests {
  const asked = { sbom: false, provenance: false };
  for (const { name, value = '' } of flags) {
    if (name === 'sbom' || name === 'provenance') asked[name] = isAsked(name, value.split(','), `--${name}=${value}`);
    if (name !== 'attest') continue;
    const parts = value.split(',');
    const type = parts.find((part) => part.startsWith('type='))?.slice('type='.length);
    if (type !== 'sbom' && type !== 'provenance')
      throw new Error(`has --attest ${value}: write type=sbom or type=provenance; other documents are not made`);
    const others = parts.filter((part) => !part.startsWith('type='));
    asked[type] = isAsked(type, others.length === 0 ? ['true'] : others, `--attest ${value}`);
  }
  return asked;
}

function isAsked(kind: Kind, parts: readonly string[], written: string): boolean {
  let isOn = true;
  for (const part of parts) {
    if (part === 'false' || part === 'disabled=true') isOn = false;
    else if (part !== 'true' && part !== 'disabled=false' && !attributes[kind].test(part))
      throw new Error(
        `has ${written}; write --${kind}=true${kind === 'provenance' ? ', --provenance=mode=max' : ''} or --${kind}=false`,
      );
  }
  return isOn;
}
