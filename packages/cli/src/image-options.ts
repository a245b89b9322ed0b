/** How `berth build` and `berth task create` say what image is to be built. */
export interface ImageOptions {
  readonly image?: readonly string[];
  readonly file?: string;
  readonly target?: string;
  readonly platform?: readonly string[];
  readonly push?: boolean;
  readonly cache?: boolean;
  readonly sbom?: boolean;
  readonly provenance?: boolean;
}
