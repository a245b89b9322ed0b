import type { Socket } from 'node:net';
import { RegistryError } from '../errors/index.ts';
import type { Principal } from '../tenancy/index.ts';

/**
 * Another region shows a certificate beside its token (mutual TLS). The connection is its own: behind a proxy that speaks TLS, the
 * proxy has to ask for it. @throws UNAUTHORIZED
 */
export function requireRegionCertificate({ kind }: Principal, socket: Socket): void {
  if (kind !== 'region' || ('authorized' in socket && socket.authorized === true)) return;
  throw new RegistryError('UNAUTHORIZED', {
    message: 'the region shows no certificate of an authority that is trusted here (setting peerClientCa)',
    detail: { reason: 'certificate' },
  });
}
