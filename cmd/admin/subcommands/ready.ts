import { AdminClientError } from '../client/admin-client.ts';
import type { Subcommand } from './subcommand.ts';

export const ready: Subcommand = {
  name: 'ready',
  summary: 'say whether the service is ready for clients, and if not, why',
  options: {},
  async run({ client, print, signal }) {
    const answer = await client.askJson<{ ready: boolean; reasons: string[] }>('GET', '/readyz', {}, signal, [503]);
    print(answer.ready ? 'ready' : `not ready: ${answer.reasons.join('; ')}`, answer);
    if (!answer.ready) throw new AdminClientError('refused', 'the service is not ready');
  },
};
