import { type Subcommand, workerOption } from './subcommand.ts';

/** The numbers that the service sends, as groups of named values. */
type Report = Record<string, number | Record<string, number | Record<string, number>>>;

export const eventLoop: Subcommand = {
  name: 'event-loop',
  summary: 'report how busy the event loop is, with memory, garbage collection and open resources',
  help: `  --seconds N        how long to watch, 1 to 60 (default: 1)\n${workerOption.help}`,
  options: { seconds: { type: 'string' }, ...workerOption.options },
  async run({ client, values: { seconds, worker }, print, progress, signal }) {
    progress(`watching for ${seconds ?? 1} s …`);
    const report = await client.askJson<Report>('GET', '/debug/event-loop', { seconds, worker }, signal);
    print(toLines('', report).join('\n'), report);
  },
};

/** One line for each number, named by its path. */
function toLines(prefix: string, values: object): string[] {
  return Object.entries(values).flatMap(([name, value]) =>
    typeof value === 'object' ? toLines(`${prefix}${name}.`, value) : `${`${prefix}${name}`.padEnd(32)} ${value}`,
  );
}
