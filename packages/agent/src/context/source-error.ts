/** A source, a document or a secret of a run that cannot be had. The message is for the user: what, where, and what to do. */
export class SourceError extends Error {
  override readonly name = 'SourceError';
}
