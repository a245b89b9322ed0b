export { Engine, EngineError, type EngineFacts, type EngineName, isLocal } from './engine.ts';
export { type FindEngineOptions, findEngine } from './find-engine.ts';
export { agentLabel, cleanUp, cleanUpRun, runLabel, runLabelOf } from './clean-up.ts';
