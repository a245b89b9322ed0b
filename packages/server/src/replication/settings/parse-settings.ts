import { type RegistrySettings, registrySettingsSchema } from '@berth/api';
import { fitSchema } from '../../platform/fit-schema.ts';
import { PeerError } from '../peers/model.ts';

/** Settings as another region told them. @throws PeerError `damaged` when they are of another form */
export async function parseSettings(
  json: string,
  { region, registry }: { region: string; registry: string },
): Promise<RegistrySettings> {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    value = undefined;
  }
  const fit = await fitSchema(registrySettingsSchema, value);
  if ('value' in fit) return fit.value;
  throw new PeerError('damaged', {
    region,
    message: `the settings of ${registry} that ${region} told have another form than this version knows: ${fit.problem}`,
    remedy: 'run the same version in both regions',
  });
}
