import { audit } from '@berth/api';
import { callOperation } from '../call-operation.ts';
import type { Connection } from '../connection.ts';
import { type Output, show } from '../output.ts';

export interface AuditOptions {
  readonly from?: string;
  readonly to?: string;
  readonly operation?: string;
  readonly repository?: string;
  readonly identity?: string;
  readonly n?: string;
}

interface AuditEvent {
  readonly time: string;
  readonly operationName: string;
  readonly repository: string | null;
  readonly tag: string | null;
  readonly digest: string | null;
  readonly identity: string;
  readonly callerIpAddress: string;
  readonly resultType: number;
  readonly resultDescription: string;
}

/** `berth audit`: who did what, the newest first. */
export async function showAudit(connection: Connection, output: Output, options: AuditOptions): Promise<void> {
  const query = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Record<string, string>;
  const { events } = (await callOperation(connection, audit.listEvents, { query })) as { events: readonly AuditEvent[] };
  show(output, events, events.length === 0 ? 'Nothing happened, or nothing that fits.' : events.map(lineOf).join('\n'));
}

function lineOf(event: AuditEvent): string {
  const { time, operationName, repository, tag, digest, identity, callerIpAddress, resultType, resultDescription } = event;
  const what =
    repository === null
      ? ''
      : ` ${repository}${tag === null ? '' : `:${tag}`}${digest === null ? '' : `@${digest.slice(0, 19)}`}`;
  const problem = resultDescription === '' ? '' : ` ${resultDescription}`;
  return printable(`${time}  ${operationName}${what}  by ${identity} from ${callerIpAddress}  ${resultType}${problem}`);
}

/** A name that somebody chose must not steer the terminal of whoever reads it (attack 42). */
function printable(text: string): string {
  return text.replaceAll(/\p{Cc}|\p{Cf}/gu, '?');
}
