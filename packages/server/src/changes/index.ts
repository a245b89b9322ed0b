export * from './model.ts';
export { type RegisterName, clockSeen, findRegister, logFacts, registerOf } from './queries.ts';
export { type ChangeToWrite, type LocalChange, type RecordChanges, changeRow, recordChanges } from './record-changes.ts';
export { joinRegister } from './registers.ts';
