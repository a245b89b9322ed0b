import { type RegistrySettings, registrySettingsSchema } from '@berth/api';
import { PeerError } from '../peers/model.ts';

/** Settings as another region told them. @throws PeerError `damaged` when they are of another form */
export async function parseSettings(
  json: string,
  { region, registry }: { region: string; registry: string },
): Promise<RegistrySettings> {
  const { Value } = await import('typebox/value');
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    value = undefined;
  }
  if (!Value.Check(registrySettingsSchema, value)) {
    const [first] = Value.Errors(registrySettingsSchema, value);
    throw new PeerError('damaged', {
      region,
      message: `the settings of ${registry} that ${region} told have another form than this version knows: ${first?.instancePath ?? ''} ${first?.message ?? 'no JSON'}`,
      remedy: 'run the same version in both regions',
    });
  }
  return value;
}
