import type { Subcommand } from '../subcommand.ts';

interface Overview {
  ready: boolean;
  reasons: string[];
  version: string;
  roles: string[];
  uptimeSeconds: number;
  history: Record<string, number | null | Record<string, number>>[];
}

export const overview: Subcommand = {
  name: 'overview',
  summary: 'show the state of this process and its newest rates',
  console: true,
  options: {},
  async run({ client, print, signal }) {
    const answer = await client.askJson<Overview>('GET', '/admin/api/overview', {}, signal);
    const facts = {
      state: answer.ready ? 'ready' : `not ready: ${answer.reasons.join('; ')}`,
      version: answer.version,
      roles: answer.roles.join(', '),
      uptimeSeconds: answer.uptimeSeconds,
      ...flat('', answer.history.at(-1) ?? {}),
    };
    print(
      Object.entries(facts)
        .map(([name, value]) => `${name.padEnd(28)} ${value ?? '-'}`)
        .join('\n'),
      answer,
    );
  },
};

/** The numbers by their paths. */
function flat(prefix: string, values: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) =>
      typeof value === 'object' && value !== null
        ? Object.entries(flat(`${prefix}${name}.`, value))
        : [[`${prefix}${name}`, value]],
    ),
  );
}
