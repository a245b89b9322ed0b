export {
  type AttributeFlags,
  type Attributes,
  attributeColumns,
  attributesOf,
  flagsOf,
  requireDeletable,
  requireReadable,
  requireWritable,
} from './attributes.ts';
export { ensureAnyRepository, ensureRepository, findDeletable, findRepository, findRepositoryId } from './queries.ts';
export { deletesSoftly } from './soft-delete.ts';
