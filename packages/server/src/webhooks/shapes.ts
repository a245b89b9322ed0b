import type { PayloadFormat } from './model.ts';
import type { Payload } from './payloads.ts';

/** A body as it is sent. */
export interface ShapedBody {
  readonly contentType: string;
  readonly text: string;
  /** Headers that receivers of the shape look at. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface ShapePlace {
  readonly format: PayloadFormat;
  /** The registry's id in the resource manager. */
  readonly resourceId: string;
  readonly region: string;
}

/** Microsoft's names of what Event Grid knows; the rest are ours (acr-api 5.3). */
const eventTypes: Readonly<Record<Payload['action'], string>> = {
  push: 'Microsoft.ContainerRegistry.ImagePushed',
  delete: 'Microsoft.ContainerRegistry.ImageDeleted',
  chart_push: 'Microsoft.ContainerRegistry.ChartPushed',
  chart_delete: 'Microsoft.ContainerRegistry.ChartDeleted',
  quarantine: 'Berth.ContainerRegistry.ImageQuarantined',
  untag: 'Berth.ContainerRegistry.TagDeleted',
  ping: 'Berth.ContainerRegistry.Ping',
};

/** Puts an event into the shape that a webhook wants. */
export function shapeOf(payload: Payload, { format, resourceId, region }: ShapePlace): ShapedBody {
  if (format === 'acr') return { contentType: 'application/json', text: JSON.stringify(payload), headers: {} };
  const type = eventTypes[payload.action];
  const { id, timestamp: time } = payload;
  const subject = subjectOf(payload);
  const data = { ...payload, location: region };
  if (format === 'cloudEvents') {
    const event = { id, source: resourceId, subject, type, time, data, specversion: '1.0' };
    return { contentType: 'application/cloudevents+json; charset=utf-8', text: JSON.stringify(event), headers: {} };
  }
  const event = {
    id,
    topic: resourceId,
    subject,
    eventType: type,
    eventTime: time,
    data,
    dataVersion: '1.0',
    metadataVersion: '1',
  };
  return {
    contentType: 'application/json; charset=utf-8',
    text: JSON.stringify([event]),
    headers: { 'aeg-event-type': 'Notification' },
  };
}

/** `repository:tag` of what has one, `repository` otherwise; `name:version` of charts. */
function subjectOf({ action, target = {} }: Payload): string {
  const { repository = '', tag, name, version } = target;
  if (name !== undefined) return version === undefined ? String(name) : `${name}:${String(version).replace(/\.tgz$/, '')}`;
  return tag === undefined || action === 'delete' ? String(repository) : `${repository}:${tag}`;
}
