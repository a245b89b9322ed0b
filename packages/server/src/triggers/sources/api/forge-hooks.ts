import type { Json } from '../json.ts';
import type { ForgeClient } from './forge-client.ts';
import type { ForgeRepository } from './forge-repository.ts';

/** What a hook at a forge is made from. */
export interface HookToInstall {
  /** Where the forge sends to. */
  readonly url: string;
  readonly secret: string;
  readonly events: readonly ('commit' | 'pullrequest')[];
}

type HookForge = 'github' | 'gitlab' | 'gitea';

const needs: Readonly<Record<HookForge, string>> = {
  github:
    'write webhooks (classic: admin:repo_hook with repo or public_repo; fine-grained: Webhooks, read and write) of a repository that its owner administers',
  gitlab: 'use the API (scope api) in the role Maintainer',
  gitea: 'write to the repository (scope write:repository), which its owner administers',
};

/** Where a forge keeps the hooks of a repository. Undefined: hooks have to be entered there by hand. */
export function hookCollectionOf({ forge, api }: ForgeRepository): string | undefined {
  return forge in needs ? `${api}/hooks` : undefined;
}

/** Makes a hook, or changes one that was made before. Answers with its id. @throws ForgeError */
export async function installHook(
  client: ForgeClient,
  { forge, collection, id }: { readonly forge: HookForge; readonly collection: string; readonly id: string | undefined },
  hook: HookToInstall,
): Promise<string> {
  const known = id ?? (await findHook(client, { forge, collection }, hook.url));
  const made = await client.call({
    method: known === undefined ? 'POST' : forge === 'gitlab' ? 'PUT' : 'PATCH',
    url: known === undefined ? collection : `${collection}/${known}`,
    body: bodyOf(forge, hook),
    what: `${known === undefined ? 'make' : 'change'} the hook`,
    needs: needs[forge],
  });
  return known ?? String(made.at('id').number() ?? '');
}

/** @throws ForgeError */
export async function uninstallHook(
  client: ForgeClient,
  { forge, collection, id }: { readonly forge: HookForge; readonly collection: string; readonly id: string },
): Promise<void> {
  await client.call({ method: 'DELETE', url: `${collection}/${id}`, what: 'remove the hook', needs: needs[forge] });
}

export function isHookForge(forge: string): forge is HookForge {
  return forge in needs;
}

/** One that was made before its id could be kept: a forge may refuse a second one of the same address, or send everything twice. */
async function findHook(
  client: ForgeClient,
  { forge, collection }: { readonly forge: HookForge; readonly collection: string },
  url: string,
): Promise<string | undefined> {
  const [size, parameter] = forge === 'gitea' ? [50, 'limit'] : [100, 'per_page'];
  const list: Json = await client.call({
    method: 'GET',
    url: `${collection}?${parameter}=${size}`,
    what: 'list the hooks',
    needs: needs[forge],
  });
  const same = list.items().find((hook) => (hook.at('config', 'url').text() ?? hook.at('url').text()) === url);
  const id = same?.at('id').number();
  return id === undefined ? undefined : String(id);
}

function bodyOf(forge: HookForge, { url, secret, events }: HookToInstall): object {
  const [pushes, requests] = [events.includes('commit'), events.includes('pullrequest')];
  switch (forge) {
    case 'github':
      return {
        name: 'web',
        active: true,
        events: [...(pushes ? ['push'] : []), ...(requests ? ['pull_request'] : [])],
        config: { url, content_type: 'json', secret, insecure_ssl: '0' },
      };
    case 'gitea':
      return {
        type: 'gitea',
        active: true,
        events: [...(pushes ? ['push'] : []), ...(requests ? ['pull_request', 'pull_request_sync'] : [])],
        config: { url, content_type: 'json', secret },
      };
    case 'gitlab':
      return {
        url,
        token: secret,
        // Servers that cannot sign leave it out.
        signing_token: secret,
        push_events: pushes,
        tag_push_events: pushes,
        merge_requests_events: requests,
        enable_ssl_verification: true,
      };
  }
}
