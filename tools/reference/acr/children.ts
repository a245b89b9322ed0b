import { type AcrGroup, collection, noCollection, notYet, works } from './entry.ts';

const caching = 'pull-through caching';
const connected = 'connected registries';
const transfer = 'transfer pipelines';
const archives = 'package archives';

/** A new kind of child: `noCollection` becomes `collection`, with the word in the ids of its operations. */
export const children: AcrGroup = {
  title: 'Resource manager: children of registries',
  operations: [
    ...collection('R/scopeMaps', 'scope-map'),
    ...collection('R/tokens', 'token', 'certificates are refused; passwords only'),
    ...collection('R/webhooks', 'webhook'),
    works('POST R/webhooks/{name}/getCallbackConfig', 'arm-webhook-get-callback-config'),
    works('POST R/webhooks/{name}/ping', 'arm-webhook-ping'),
    works('POST R/webhooks/{name}/listEvents', 'arm-webhook-list-events'),
    works('GET R/webhooks/{name}/listEvents', 'arm-webhook-list-more-events'),
    ...collection('R/replications', 'replication', 'kept and checked; nothing is copied yet'),
    ...noCollection('R/cacheRules', caching),
    ...noCollection('R/credentialSets', caching),
    ...noCollection('R/connectedRegistries', connected),
    notYet('POST R/connectedRegistries/{name}/deactivate', connected),
    notYet('POST R/connectedRegistries/{name}/resync', connected),
    ...noCollection('R/privateEndpointConnections', 'private endpoints belong to a cloud; network rules take their place', [
      'GET',
      'PUT',
      'DELETE',
    ]),
    ...noCollection('R/exportPipelines', transfer, ['GET', 'PUT', 'DELETE']),
    ...noCollection('R/importPipelines', transfer, ['GET', 'PUT', 'DELETE']),
    ...noCollection('R/pipelineRuns', transfer, ['GET', 'PUT', 'DELETE']),
    ...noCollection('R/packages/{type}/archives', archives),
    ...noCollection('R/packages/{type}/archives/{name}/versions', archives, ['GET', 'PUT', 'DELETE']),
  ],
};
