import type { ShownSetting } from '../../../../config/live/shown-settings.ts';
import type { Route } from '../../route.ts';

/** The settings in force, without their secrets. */
export function settingsRoutes(list: () => ShownSetting[]): Route[] {
  return [
    {
      method: 'GET',
      path: '/admin/api/settings',
      access: 'admin',
      handle: (_request, response) => void response.json({ settings: list() }),
    },
  ];
}
