export { fetchDocument } from './fetch-document.ts';
export { fetchSource } from './fetch-source.ts';
export { SourceError } from './source-error.ts';
