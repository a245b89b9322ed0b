/** Who made and last changed a resource, in ARM's words. */
export function systemData(facts: {
  readonly createdAt: number;
  readonly createdBy: string;
  readonly updatedAt: number;
  readonly updatedBy: string;
}): object {
  const by = (name: string): string => (name === '' ? 'berth' : name);
  return {
    createdBy: by(facts.createdBy),
    createdByType: 'Application',
    createdAt: new Date(facts.createdAt).toISOString(),
    lastModifiedBy: by(facts.updatedBy),
    lastModifiedByType: 'Application',
    lastModifiedAt: new Date(facts.updatedAt).toISOString(),
  };
}
