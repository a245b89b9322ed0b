import { PeerError, type PeerErrorKind } from './model.ts';

/** Why a region could not be asked, in words for operators: what is wrong, where, and what to do next. */

export function unreachable(
  region: string,
  { origin }: URL,
  reason: string,
  { isTls = false, cause }: { readonly isTls?: boolean; readonly cause?: unknown } = {},
): PeerError {
  const remedy = isTls
    ? 'put the authority that issued its certificate into the file of the setting peerCa, or give the name that the certificate holds in the setting peers'
    : `see that ${region} runs, that ${origin} is its address, and that this machine may connect to it; copying goes on by itself`;
  return new PeerError('unreachable', { region, message: `${region} cannot be reached: ${reason}`, remedy, cause });
}

/** An answer that is not what it has to be. */
export function damaged(region: string, what: string, cause?: unknown): PeerError {
  return new PeerError('damaged', {
    region,
    message: `${region} answers with ${what}`,
    remedy: `see the log of ${region}, and whether something between the two regions changes what is sent; it is tried again`,
    cause,
  });
}

export function clockIsOff(region: string, skewMs: number, maxClockSkewMs: number): PeerError {
  const seconds = Math.round(Math.abs(skewMs) / 1000);
  return new PeerError('clock', {
    region,
    message: `the clock of ${region} is ${seconds} s ${skewMs > 0 ? 'ahead of' : 'behind'} the one here, and ${Math.round(maxClockSkewMs / 1000)} s are taken`,
    remedy: 'let both machines take their time from a time server (NTP), or raise the setting maxClockSkew in both regions',
  });
}

export function factOfTheFuture(region: string, maxClockSkewMs: number): PeerError {
  return new PeerError('clock', {
    region,
    message: `${region} tells of something that was done more than ${Math.round(maxClockSkewMs / 1000)} s in the future`,
    remedy:
      'the clock of a region is or was wrong: set it right, and wait until that time has come, or make the replica of that region anew',
  });
}

export function otherVersion(region: string, version: string | undefined): PeerError {
  return new PeerError('version', {
    region,
    message:
      version === undefined
        ? `${region} does not know what regions ask one another`
        : `${region} runs version ${version.slice(0, 64)}, which speaks another form of replication`,
    remedy: 'bring both regions to the same version of berth',
  });
}

/** What an error answer of Berth says. */
export interface ErrorAnswer {
  readonly status: number;
  /** Undefined: no error of a registry. */
  readonly code: string | undefined;
  readonly message: string;
  /** `detail.reason`, where it has one. */
  readonly reason: string | undefined;
}

/** What an answer other than the one that was asked for means. */
export function failureOf(region: string, answer: ErrorAnswer): PeerError {
  const [kind, remedy] = meaningOf(region, answer);
  const said = answer.code === undefined ? `the status ${answer.status}` : `${answer.status}: ${answer.message}`;
  return new PeerError(kind, { region, message: `${region} answers with ${said}`, remedy });
}

function meaningOf(region: string, { status, code, reason }: ErrorAnswer): readonly [PeerErrorKind, string] {
  if (status === 401 && code !== undefined) return signInFailed(region, reason);
  if (status === 404 && code === 'NOT_FOUND')
    return [
      'not-here',
      `create a replication for this region in the home region of the registry, or wait until ${region} has made its own`,
    ];
  if (status === 410 && code !== undefined) return ['cursor-unknown', 'a snapshot is read, without anything to be done'];
  if (status === 409 && code !== undefined)
    return ['too-old', 'delete the replication and create it again: content that exists elsewhere stays there'];
  if (status >= 300 && status < 400)
    return ['failed', `give the address of ${region} itself in the setting peers: redirects are not followed`];
  if (status === 429 || status === 503) return ['failed', `${region} is busy, or starts or stops; it is tried again`];
  if (code === undefined) return ['failed', `see whether the address of ${region} in the setting peers leads to a Berth server`];
  return ['failed', `see the log of ${region}; it is tried again`];
}

function signInFailed(region: string, reason: string | undefined): readonly [PeerErrorKind, string] {
  if (reason === 'clock')
    return [
      'clock',
      'let both machines take their time from a time server (NTP), or raise the setting maxClockSkew in both regions',
    ];
  if (reason === 'region')
    return [
      'unauthenticated',
      `see that the address of ${region} in the setting peers leads to the region that calls itself ${region}, and that no two regions have one name`,
    ];
  if (reason === 'certificate')
    return [
      'unauthenticated',
      `show ${region} a certificate (settings peerCert and peerCertKey) that an authority in the file of its setting peerClientCa issued for clients, and that is not over`,
    ];
  return [
    'unauthenticated',
    `give both regions the same peerKey; to change it, first give each the new and the old one ("new,old")`,
  ];
}
