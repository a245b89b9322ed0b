export { ensureRepository, findRepositoryId } from './queries.ts';
