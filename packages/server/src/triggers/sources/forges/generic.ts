import { isSignedHex, isSignedStandard } from '../authenticity.ts';
import type { Json } from '../json.ts';
import { type SourceEvent, commitIn, refParts } from '../model.ts';
import type { ForgeHooks } from './forge.ts';
import { isZero } from './github.ts';

/** Any git server whose hook can sign: `{ ref, commit, repository, files?, message?, time?, id? }`. */
export const generic: ForgeHooks = {
  name: 'generic',
  recognises: () => true,
  isAuthentic: (request, secret, now) =>
    request.headers['webhook-signature'] === undefined
      ? isSignedHex(request.body, secret, request.headers['x-berth-signature'])
      : isSignedStandard(request, secret, now),
  delivery: ({ headers }, payload) => headers['webhook-id'] ?? payload.at('id').text(),
  isIdSigned: ({ headers }) => headers['webhook-signature'] !== undefined,
  read: (_, payload) => {
    const repository = payload.at('repository').text();
    const about = { repositoryUrls: repository === undefined ? [] : [repository], sentAt: payload.at('time').time() };
    const event = readEvent(payload);
    return event === undefined
      ? { ...about, events: [], reason: 'it needs "ref" as refs/heads/main and "commit", in full' }
      : { ...about, events: [event] };
  },
};

function readEvent(payload: Json): SourceEvent | undefined {
  const parts = refParts(payload.at('ref').text());
  const given = payload.at('commit').text();
  const commit = commitIn(given);
  if (parts === undefined || (commit === undefined && !isZero(given))) return undefined;
  const files = payload.at('files');
  return {
    kind: 'push',
    ...parts,
    commit: commit ?? null,
    isCreated: false,
    commitCount: undefined,
    changedFiles: files.isList ? files.texts() : undefined,
    message: payload.at('message').text(),
  };
}
