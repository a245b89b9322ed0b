/** ACR's actions on a repository, as token scopes spell them. */
export type RepositoryAction =
  | 'pull'
  | 'push'
  | 'delete'
  | 'metadata_read'
  | 'metadata_write'
  | 'deleted_read'
  | 'deleted_restore'
  | 'quarantine_read'
  | 'quarantine_write';

/** One right, as an endpoint needs it and as a token grants it. */
export type Need =
  | { readonly type: 'repository'; readonly name: string; readonly action: RepositoryAction }
  | { readonly type: 'registry'; readonly name: 'catalog' | 'deleted_catalog'; readonly action: '*' }
  /** Runs the registry itself: its passwords, its cleanup. No token scope grants it. */
  | { readonly type: 'operator' }
  /** Runs the deployment, which every registry of it shares: keys, scrub, the directory. No token scope grants it. */
  | { readonly type: 'deployment' }
  /** Executes runs. Only the key of an agent grants it. */
  | { readonly type: 'agent' }
  /** Another region of the registry. Only the key that regions share grants it. */
  | { readonly type: 'region' }
  /** An action of the resource manager on a resource, by its id in lower case. */
  | { readonly type: 'resource'; readonly action: string; readonly scope: string };

/** What an operation declares; an operation without one does not compile. */
export type Permission =
  /** Anybody, unauthenticated too. Say why. */
  | { readonly kind: 'public'; readonly reason: string }
  /** Any authenticated principal (anonymous too where anonymous pull is on). */
  | { readonly kind: 'authenticated' }
  | { readonly kind: 'catalog' }
  | { readonly kind: 'deleted-catalog' }
  /** All of these actions on the repository named by the path parameter `name`. */
  | {
      readonly kind: 'repository';
      readonly actions: readonly RepositoryAction[];
      /** This action lets in, too; the handler says what each of the two may do there. */
      readonly instead?: RepositoryAction;
    }
  | { readonly kind: 'operator' }
  | { readonly kind: 'deployment' }
  /** An agent, by its key. */
  | { readonly kind: 'agent' }
  /** Another region, by the key that regions share. */
  | { readonly kind: 'region' }
  /** Whoever is signed in to the resource manager. */
  | { readonly kind: 'management' }
  /** This action (`Microsoft.ContainerRegistry/registries/read`) on the resource that the path names. */
  | { readonly kind: 'resource'; readonly action: string };
