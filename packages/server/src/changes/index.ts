export * from './model.ts';
export { type Changes, type ChangesOptions, createChanges } from './create-changes.ts';
export { type RegisterName, findRegister, logFacts, manifestKind, registerOf, tagKind } from './queries.ts';
export {
  type ChangesRead,
  type ChangesWanted,
  type LogEntry,
  readChanges,
  readLog,
} from './read-changes.ts';
export { type SnapshotRead, type SnapshotWanted, readSnapshot } from './read-snapshot.ts';
export {
  type ChangeToWrite,
  type LocalChange,
  type RecordChanges,
  type Recorded,
  changeRow,
  factOf,
  isVisible,
  recordChanges,
} from './record-changes.ts';
export { columnsOf, joinRegister } from './registers.ts';
export { untilSettled } from './settled.ts';
