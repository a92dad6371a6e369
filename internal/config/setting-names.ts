import { readConfig } from './config.ts';
import { readGatewayConfig } from './gateway-config.ts';
import { readEnvironment } from './reading/environment.ts';

/** The names of all settings: every environment variable that the programs read. */
export function settingNames(): Set<string> {
  const names = new Set<string>();
  const env = new Proxy({} as Record<string, string | undefined>, {
    get(_, name) {
      names.add(String(name));
      return undefined;
    },
  });
  readEnvironment(env);
  readConfig(env);
  readGatewayConfig(env);
  return names;
}
