import { RegistryError, asRegistryError } from '../errors/index.ts';
import type { Logger } from '../platform/logger.ts';
import { RemoteError } from '../platform/registry-client/index.ts';
import { invalid } from './parse-import.ts';

/** What a failed import tells whoever asked for it; bugs go to the log. */
export function explainFailure(error: unknown, log: Logger): RegistryError {
  if (error instanceof RemoteError) return fromRemote(error);
  const known = asRegistryError(error);
  if (known.error === 'INTERNAL') log.error({ err: error }, 'an import failed for a reason that nobody expected');
  return known;
}

function fromRemote(error: RemoteError): RegistryError {
  switch (error.kind) {
    case 'not-found':
      return new RegistryError('MANIFEST_UNKNOWN', { target: 'source.sourceImage', message: error.message, cause: error });
    case 'denied':
      return invalid('source.credentials', error.message, error);
    case 'refused-address':
      return invalid('source.registryUri', error.message, error);
    case 'busy':
    case 'unusable':
      return new RegistryError('UPSTREAM_FAILED', { target: 'source.registryUri', message: error.message, cause: error });
  }
}
