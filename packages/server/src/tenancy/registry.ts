/** The tenant: a login server name with its own keys and content. */
export interface Registry {
  readonly id: number;
  readonly name: string;
  /** Host and port as clients name it; the audience of its tokens. */
  readonly loginServer: string;
  readonly isAnonymousPullEnabled: boolean;
}
