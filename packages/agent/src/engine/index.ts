export { Engine, EngineError, type EngineFacts, type EngineName, speaksPlainHttp } from './engine.ts';
export { type FindEngineOptions, findEngine } from './find-engine.ts';
export { containersUse } from './container-sizes.ts';
export { agentLabel, cleanUp, cleanUpRun, runLabel, runLabelOf } from './clean-up.ts';
