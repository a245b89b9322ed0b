/** What sealed settings are bound to: those of another registry, version or home region do not open as these. */
export function settingsPurpose({
  registry,
  version,
  home,
}: {
  readonly registry: string;
  readonly version: string;
  readonly home: string;
}): string {
  return JSON.stringify(['settings', registry.toLowerCase(), version, home]);
}
