import { type Attests, parseImageReference } from '@berth/task-file';
import type { BaseImageUse, OutputImage } from '@berth/api';

/** One image of a build, for one platform. */
export interface PlatformImage {
  /** `linux/arm64`; empty: the engine's own. */
  readonly platform: string;
  readonly id: string;
}

/** What a build step made. */
export interface BuiltImage {
  readonly step: string;
  readonly tags: readonly string[];
  readonly images: readonly PlatformImage[];
  readonly bases: readonly BaseImageUse[];
  readonly outputs: OutputImage[];
  readonly startedAt: Date;
  readonly dockerfile: string;
  readonly arguments: ReadonlyMap<string, string>;
  /** What they are called. */
  readonly secrets: readonly string[];
  readonly target: string | undefined;
  readonly noCache: boolean;
  readonly attests: Attests;
  /** Documents that some manifest has already: neither another tag nor another attempt at a push attaches them again. */
  readonly attached: Set<string>;
}

/** The images that a run has built and pulled. Names that others left on the engine are not the run's. */
export class RunImages {
  /** In the order they were built; a step that builds again replaces what it built before. */
  readonly #built = new Map<string, BuiltImage>();
  readonly #byName = new Map<string, BuiltImage>();
  readonly #pulled = new Map<string, Promise<string>>();
  /** By step, what builds needed that then failed. */
  readonly failed = new Map<string, Pick<BuiltImage, 'tags' | 'bases'>>();

  add(image: BuiltImage): void {
    this.#built.set(image.step, image);
    this.failed.delete(image.step);
    for (const tag of image.tags) this.#byName.set(fullName(tag), image);
  }

  get built(): readonly BuiltImage[] {
    return [...this.#built.values()];
  }

  find(name: string): BuiltImage | undefined {
    return this.#byName.get(fullName(name));
  }

  /** The id of an image that the run pulls, once unless it is to be pulled anew. */
  pulledOnce(key: string, pull: () => Promise<string>, isAnew = false): Promise<string> {
    const known = this.#pulled.get(key);
    if (known !== undefined && !isAnew) return known;
    const pulled = pull();
    this.#pulled.set(key, pulled);
    pulled.catch(() => this.#pulled.delete(key));
    return pulled;
  }
}

/** A name with all that it leaves out. */
export function fullName(name: string): string {
  const reference = parseImageReference(name);
  if (reference === undefined) return name;
  const { registry, repository, tag, digest } = reference;
  return `${registry}/${repository}${tag === null ? '' : `:${tag}`}${digest === null ? '' : `@${digest}`}`;
}
