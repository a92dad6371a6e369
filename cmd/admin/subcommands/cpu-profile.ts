import { download, outputOption } from './download.ts';
import { type Subcommand, workerOption } from './subcommand.ts';

export const cpuProfile: Subcommand = {
  name: 'cpu-profile',
  summary: 'record what the service does, for the DevTools of a browser or an editor',
  help: `  --seconds N        how long to record, 1 to 60 (default: 10)\n${outputOption.help}\n${workerOption.help}`,
  options: { seconds: { type: 'string' }, ...outputOption.options, ...workerOption.options },
  async run(context) {
    const { seconds, worker } = context.values;
    context.progress(`recording for ${seconds ?? 10} s …`);
    await download('/debug/cpu-profile', { seconds, worker }, context);
  },
};
