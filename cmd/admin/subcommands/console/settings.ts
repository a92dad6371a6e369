import { tableSubcommand } from './room.ts';

export const settings = tableSubcommand({
  name: 'settings',
  summary: 'list the settings in force, without their secrets',
  path: 'settings',
  rows: 'settings',
  columns: {
    NAME: (setting) => setting.name,
    VALUE: (setting) => setting.value ?? '(default)',
    RELOADABLE: (setting) => (setting.reloadable ? 'yes' : 'no'),
  },
});
