import { type AcrGroup, differs, notYet, works } from './entry.ts';

export const registries: AcrGroup = {
  title: 'Resource manager: registries',
  operations: [
    works('GET /RP/operations', 'arm-list-operations'),
    works('POST SUB/RP/checkNameAvailability', 'arm-check-name'),
    works('GET SUB/RP/registries', 'arm-list-registries'),
    works('GET RG/RP/registries', 'arm-list-group-registries'),
    works('GET R', 'arm-get-registry'),
    differs(
      'PUT R',
      'arm-put-registry',
      'refuses managed identities, customer-managed keys, content trust and virtual network rules with the reason',
    ),
    differs('PATCH R', 'arm-patch-registry', 'the same; soft delete and retention may be on together'),
    differs('DELETE R', 'arm-delete-registry', 'the default registry stays'),
    differs('POST R/importImage', 'arm-import-image', 'referrers come along; a retry goes on with what is missing'),
    works('GET R/operationResults/{id}', 'arm-get-import'),
    works('GET R/listUsages', 'arm-list-usages'),
    works('POST R/listCredentials', 'arm-list-credentials'),
    works('POST R/regenerateCredential', 'arm-regenerate-credential'),
    works('POST R/generateCredentials', 'arm-generate-credentials'),
    works('GET R/privateLinkResources', 'arm-list-private-link-resources'),
    works('GET R/privateLinkResources/{name}', 'arm-get-private-link-resource'),
    notYet('GET R/listPolicies', 'of 2017, replaced by `properties.policies`'),
    notYet('POST R/updatePolicies', 'of 2017, replaced by `properties.policies`'),
    notYet('POST R/getBuildSourceUploadUrl', 'of 2018, replaced by `listBuildSourceUploadUrl`'),
    notYet('ANY RG/RP/capacityReservations/…', "a preview; ACR's specification hints that it is internal"),
  ],
};
