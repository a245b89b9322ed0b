export { explainSettings, helpText, settingsPage } from './explain-settings.ts';
export { type LoadOptions, type LoadedSettings, type SettingSource, loadSettings } from './load-settings.ts';
export { Secret } from './secret.ts';
export type { Setting } from './setting.ts';
export { type Settings, settingsTable } from './settings-table.ts';
