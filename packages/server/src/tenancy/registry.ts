/** The tenant: a login server name with its own keys and content. */
export interface Registry {
  readonly id: number;
  readonly name: string;
  readonly isAnonymousPullEnabled: boolean;
}
