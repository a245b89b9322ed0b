import { type AcrGroup, type AcrOperation, differs, notYet, works } from './entry.ts';

const upload = '/v2/{name}/blobs/uploads/{session}';
const contentTrust = 'Notary v1 has ended; signatures of notation and cosign are kept as referrers';

export const distribution: AcrGroup = {
  title: 'Data plane: OCI distribution',
  operations: [
    works('GET /v2/', 'check-api'),
    works('GET /v2/_catalog', 'list-repositories'),
    works('GET /v2/{name}/tags/list', 'list-tags'),
    works('GET /v2/{name}/manifests/{reference}', 'get-manifest'),
    works('HEAD /v2/{name}/manifests/{reference}', 'head-manifest'),
    works('PUT /v2/{name}/manifests/{reference}', 'put-manifest'),
    differs('DELETE /v2/{name}/manifests/{reference}', 'delete-manifest', 'a tag is deleted, too, not only a digest'),
    differs('GET /v2/{name}/blobs/{digest}', 'get-blob', 'the bytes come from the login server, without a redirect'),
    works('HEAD /v2/{name}/blobs/{digest}', 'head-blob'),
    works('DELETE /v2/{name}/blobs/{digest}', 'delete-blob'),
    works('POST /v2/{name}/blobs/uploads/', 'start-upload'),
    works(`GET ${upload}`, 'get-upload'),
    works(`PATCH ${upload}`, 'send-chunk'),
    differs(`PUT ${upload}`, 'finish-upload', 'one body may be of any size; ACR takes 20 MB'),
    works(`DELETE ${upload}`, 'cancel-upload'),
    works('GET /v2/{name}/referrers/{digest}', 'list-referrers'),
    notYet('GET /v2/{name}/_trust/tuf/{file}', contentTrust),
    notYet('POST /v2/{name}/_trust/tuf/', contentTrust),
    notYet('DELETE /v2/{name}/_trust/tuf/', contentTrust),
  ],
};

export const acr: AcrGroup = {
  title: 'Data plane: /acr/v1',
  operations: [
    works('GET /acr/v1/_catalog', 'acr-list-repositories'),
    works('GET /acr/v1/{name}', 'acr-get-repository'),
    works('PATCH /acr/v1/{name}', 'acr-update-repository'),
    works('DELETE /acr/v1/{name}', 'delete-repository'),
    works('GET /acr/v1/{name}/_tags', 'acr-list-tags'),
    works('GET /acr/v1/{name}/_tags/{reference}', 'acr-get-tag'),
    works('PATCH /acr/v1/{name}/_tags/{reference}', 'acr-update-tag'),
    works('DELETE /acr/v1/{name}/_tags/{reference}', 'acr-delete-tag'),
    works('GET /acr/v1/{name}/_manifests', 'acr-list-manifests'),
    works('GET /acr/v1/{name}/_manifests/{digest}', 'acr-get-manifest'),
    differs(
      'PATCH /acr/v1/{name}/_manifests/{digest}',
      'acr-update-manifest',
      'a manifest that may not be read keeps its blobs readable',
    ),
  ],
};

const streaming = 'artifact streaming';
const helm = "the API of Helm 2, which ACR's own client has retired; charts are OCI artifacts";
const metadata = 'metadata of keys and values';

/** Keys and values of a repository, a tag or a manifest. */
function metadataOf(path: string): readonly AcrOperation[] {
  const one = `${path}/_metadata/{key}`;
  return [`GET ${path}/_metadata`, `GET ${one}`, `PUT ${one}`, `DELETE ${one}`].map((operation) => notYet(operation, metadata));
}

export const previews: AcrGroup = {
  title: 'Data plane: previews, and what is retired',
  operations: [
    works('GET /acr/v1/_deleted/_catalog', 'acr-list-deleted-repositories'),
    works('GET /acr/v1/_deleted/{name}/_manifests', 'acr-list-deleted-manifests'),
    works('GET /acr/v1/_deleted/{name}/_tags', 'acr-list-deleted-tags'),
    differs(
      'POST /acr/v1/_deleted/{name}/_manifests/{digest}',
      'acr-restore-manifest',
      'the images of an index come back with it; a pushed digest leaves the bin by itself, where ACR refuses the push',
    ),
    differs(
      'DELETE /acr/v1/_deleted/{name}/_manifests/{digest}',
      'acr-purge-manifest',
      "Berth's own: ACR cannot empty the bin by hand",
    ),
    ...metadataOf('/acr/v1/{name}'),
    ...metadataOf('/acr/v1/{name}/_tags/{reference}'),
    ...metadataOf('/acr/v1/{name}/_manifests/{digest}'),
    notYet('POST /acr/v1/_metadata/_query', metadata),
    notYet('POST /acr/v1/{name}/_metadata/_query', metadata),
    notYet('GET /acr/v1/{name}/_streaming', streaming),
    notYet('POST /acr/v1/{name}/_streaming', streaming),
    notYet('GET /acr/v1/{name}/_streaming/{digest}', streaming),
    notYet('POST /acr/v1/{name}/_streaming/{digest}', streaming),
    notYet('GET /acr/v1/{name}/_operations/{id}', streaming),
    notYet('POST /acr/v1/{name}/_operations/{id}:cancel', streaming),
    notYet('GET /helm/v1/{repo}/index.yaml', helm),
    notYet('GET /helm/v1/{repo}/_charts', helm),
    notYet('GET /helm/v1/{repo}/_charts/{chart}', helm),
    notYet('DELETE /helm/v1/{repo}/_charts/{chart}', helm),
    notYet('GET /helm/v1/{repo}/_charts/{chart}/{version}', helm),
    notYet('DELETE /helm/v1/{repo}/_charts/{chart}/{version}', helm),
    notYet('PUT /helm/v1/{repo}/_blobs/{file}', helm),
    notYet('PATCH /helm/v1/{repo}/_blobs/{file}', helm),
    notYet('DELETE /helm/v1/{repo}/_blobs/{file}', helm),
  ],
};
