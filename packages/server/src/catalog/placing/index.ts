/** What was done in other regions, written here within the caller's transaction. Locks and quotas are not asked; the log is the caller's. */
export { notePull, type PullToNote } from './note-pull.ts';
export { type AttributesToPlace, type AttributeValues, placeAttributes } from './place-attributes.ts';
export { type ManifestToPlace, placeManifest } from './place-manifest.ts';
export { placeTag, type TagToPlace } from './place-tag.ts';
export { type ManifestToTake, takeManifest, takeRepository, takeTag } from './take.ts';
