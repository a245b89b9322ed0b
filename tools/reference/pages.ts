import { settingsPage } from '../../packages/server/src/settings/index.ts';
import { acrPage } from './acr/page.ts';
import { errorsPage } from './errors-page.ts';
import { openApiDocument } from './open-api.ts';
import { operationsPage } from './operations-page.ts';

/** The pages of `docs/reference` by file name. */
export function referencePages(): ReadonlyMap<string, string> {
  return new Map([
    ['settings.md', settingsPage()],
    ['errors.md', errorsPage()],
    ['operations.md', operationsPage()],
    ['acr-compatibility.md', acrPage()],
    ['openapi.json', `${JSON.stringify(openApiDocument(), null, 2)}\n`],
  ]);
}
