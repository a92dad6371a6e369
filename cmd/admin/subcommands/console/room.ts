import { toTable } from '../../text/table.ts';
import type { Subcommand, SubcommandContext } from '../subcommand.ts';

type Row = Record<string, unknown>;

interface TableOptions {
  name: string;
  summary: string;
  help?: string;
  /** Names of options, which are sent as parameters of these names. */
  parameters?: Readonly<Record<string, string>>;
  path: string;
  /** The field of the answer that has the rows. */
  rows: string;
  columns: Readonly<Record<string, (row: Row) => unknown>>;
}

/** A sub-command that prints a room's list. */
export function tableSubcommand({
  name,
  summary,
  help,
  parameters = {},
  path,
  rows,
  columns,
}: TableOptions): Subcommand {
  return {
    name,
    summary,
    help,
    console: true,
    options: Object.fromEntries(Object.keys(parameters).map((option) => [option, { type: 'string' as const }])),
    async run({ client, values, print, signal }) {
      const query = Object.fromEntries(
        Object.entries(parameters).map(([option, parameter]) => [parameter, values[option]]),
      );
      const answer = await client.askJson<Row>('GET', `/admin/api/${path}`, query, signal);
      const lines = (answer[rows] as Row[]).map((row) => Object.values(columns).map((of) => of(row)));
      const more = answer.nextPageToken ? `\nmore: --page ${answer.nextPageToken}` : '';
      print(`${toTable(Object.keys(columns), lines)}${more}`, answer);
    },
  };
}

interface ActOptions {
  name: string;
  summary: string;
  help: string;
  /** Options that must be given. */
  required: readonly string[];
  optional?: readonly string[];
  path(values: Record<string, string>): string;
  body?(values: Record<string, string>): object;
}

/** A sub-command that does something, and says that it is done. */
export function actSubcommand({ name, summary, help, required, optional = [], path, body }: ActOptions): Subcommand {
  const names = [...required, ...optional];
  return {
    name,
    summary,
    help,
    console: true,
    options: Object.fromEntries(names.map((option) => [option, { type: 'string' as const }])),
    async run({ client, values, print, signal }) {
      const given = readValues(values, required);
      const answer = await client.act<object>(`/admin/api/${path(given)}`, body?.(given) ?? {}, signal);
      print('done', answer);
    },
  };
}

/** Throws an error that names the options that are missing. */
export function readValues(values: SubcommandContext['values'], required: readonly string[]): Record<string, string> {
  const missing = required.filter((option) => !values[option]);
  if (missing.length > 0) throw new Error(`${missing.map((option) => `--${option}`).join(' and ')} must be given`);
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
