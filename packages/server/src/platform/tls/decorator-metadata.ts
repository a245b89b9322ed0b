/**
 * The certificate library finds its parts by decorator metadata, which the language does not have yet, and leaves it to
 * its user to bring `Reflect.getMetadata` and its siblings. These three are all that it calls. Import before it.
 */
const metadataOf = new WeakMap<object, Map<unknown, unknown>>();

function ownMetadata(key: unknown, target: object): unknown {
  return metadataOf.get(target)?.get(key);
}

function inheritedMetadata(key: unknown, target: object): unknown {
  for (let each: object | null = target; each !== null; each = Reflect.getPrototypeOf(each)) {
    if (metadataOf.get(each)?.has(key) === true) return ownMetadata(key, each);
  }
  return undefined;
}

function defineMetadata(key: unknown, value: unknown, target: object): void {
  const known = metadataOf.get(target) ?? new Map<unknown, unknown>();
  metadataOf.set(target, known.set(key, value));
}

if (!('getMetadata' in Reflect)) {
  Object.assign(Reflect, { getMetadata: inheritedMetadata, getOwnMetadata: ownMetadata, defineMetadata });
}
