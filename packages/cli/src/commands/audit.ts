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
  readonly count: number;
}

const defaultCount = 100;

interface AuditPage {
  readonly events: readonly AuditEvent[];
  readonly last: string | null;
}

/** `berth audit`: who did what, the newest first. */
export async function showAudit(connection: Connection, output: Output, options: AuditOptions): Promise<void> {
  const wanted = options.n === undefined ? defaultCount : Number(options.n);
  const query = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Record<string, string>;
  const events: AuditEvent[] = [];
  for (;;) {
    const page = (await callOperation(connection, audit.listEvents, { query })) as AuditPage;
    events.push(...page.events);
    if (page.last === null || !(events.length < wanted)) break;
    Object.assign(query, { last: page.last, n: String(wanted - events.length) });
  }
  show(output, events, events.length === 0 ? 'Nothing happened, or nothing that fits.' : events.map(lineOf).join('\n'));
}

function lineOf(event: AuditEvent): string {
  const { time, operationName, repository, tag, digest, identity, callerIpAddress, resultType, resultDescription, count } = event;
  const times = count === 1 ? '' : ` ×${count}`;
  const what =
    repository === null
      ? ''
      : ` ${repository}${tag === null ? '' : `:${tag}`}${digest === null ? '' : `@${digest.slice(0, 19)}`}`;
  const problem = resultDescription === '' ? '' : ` ${resultDescription}`;
  return printable(`${time}  ${operationName}${times}${what}  by ${identity} from ${callerIpAddress}  ${resultType}${problem}`);
}

/** A name that somebody chose must not steer the terminal of whoever reads it (attack 42). */
function printable(text: string): string {
  return text.replaceAll(/\p{Cc}|\p{Cf}/gu, '?');
}
