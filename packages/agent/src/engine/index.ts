export { Engine, EngineError, type EngineFacts, type EngineName, speaksPlainHttp } from './engine.ts';
export { type FindEngineOptions, findEngine } from './find-engine.ts';
export { LayerStore, type NamedImage } from './layer-store.ts';
export { removeMounted } from './remove-mounted.ts';
export { containersUse } from './container-sizes.ts';
export { agentLabel, cleanUp, cleanUpRun, runLabel, runLabelOf } from './clean-up.ts';
