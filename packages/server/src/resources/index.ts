export {
  type ChildToWrite,
  type ChildrenContext,
  patchChild,
  putChild,
  removeChild,
  sceneOf,
} from './change-children.ts';
export { Fields, invalid } from './fields.ts';
export type { AskedOfChild, Child, ChildKind, KindScene, NameRule } from './kind.ts';
export { type StoredChild, childrenAfter, countChildren, findChild } from './queries.ts';
