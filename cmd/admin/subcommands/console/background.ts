import { toTable } from '../../text/table.ts';
import type { Subcommand } from '../subcommand.ts';

interface Background {
  sinks: { name: string; enabled: boolean; waitingChats: number; chatsToRegister: number }[];
  deletedChats: number;
  ownRelay: { lagSeconds: number; failure?: string } | null;
}

export const background: Subcommand = {
  name: 'background',
  summary: 'show the export to sinks, and how much is left of other work in the background',
  console: true,
  options: {},
  async run({ client, print, signal }) {
    const answer = await client.askJson<Background>('GET', '/admin/api/background', {}, signal);
    const { sinks, deletedChats, ownRelay } = answer;
    const rows = sinks.map((sink) => [sink.name, sink.enabled, sink.waitingChats, sink.chatsToRegister]);
    const lines = [
      toTable(['SINK', 'ENABLED', 'WAITING CHATS', 'TO REGISTER'], rows),
      `deleted chats to remove: ${deletedChats}`,
      ...(ownRelay
        ? [`relay: ${ownRelay.lagSeconds} s late${ownRelay.failure ? `, fails: ${ownRelay.failure}` : ''}`]
        : []),
    ];
    print(lines.join('\n'), answer);
  },
};
