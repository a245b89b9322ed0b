/** One event of a text/event-stream. */
export interface StreamEvent {
  readonly event: string;
  readonly data: string;
  /** Of the last event that had one. */
  readonly id: string | undefined;
}

/** More than any record of a log, or any run, has. */
const maxEventLength = 8 * 1024 * 1024;

/** Reads events; one that is broken off is none. Rejects when one is larger than any that there is. */
export async function* readEvents(chunks: AsyncIterable<string>): AsyncGenerator<StreamEvent> {
  let rest = '';
  let [event, data, id] = ['', '', undefined as string | undefined];
  for await (const chunk of chunks) {
    const lines = (rest + chunk).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? '';
    if (rest.length + data.length > maxEventLength) throw new Error('an event is larger than any that a Berth server sends');
    for (const line of lines) {
      if (line === '') {
        if (data !== '') yield { event: event === '' ? 'message' : event, data: data.slice(0, -1), id };
        [event, data] = ['', ''];
        continue;
      }
      const [, field = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
      if (field === 'event') event = value;
      else if (field === 'data') data += `${value}\n`;
      else if (field === 'id' && !value.includes('\0')) id = value;
    }
  }
}
