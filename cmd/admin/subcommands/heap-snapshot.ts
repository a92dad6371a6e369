import { download, outputOption } from './download.ts';
import { type Subcommand, workerOption } from './subcommand.ts';

export const heapSnapshot: Subcommand = {
  name: 'heap-snapshot',
  summary: "copy the service's objects, with secrets and messages; the process stands still meanwhile",
  help: `${outputOption.help}\n${workerOption.help}`,
  options: { ...outputOption.options, ...workerOption.options },
  async run(context) {
    context.progress('taking the snapshot …');
    await download('/debug/heap-snapshot', { worker: context.values.worker }, context);
  },
};
