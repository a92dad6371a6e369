import { toTable } from '../../text/table.ts';
import type { Subcommand } from '../subcommand.ts';
import { readValues } from './room.ts';

interface Background {
  sinks: { name: string; enabled: boolean; waitingChats: number; chatsToRegister: number; lagSeconds: number | null }[];
  deletedChats: number;
  ownRelay: { lagSeconds: number; failure?: string } | null;
}

interface Replay {
  fromSeq: number;
  toSeq: number;
  replay: number;
}

export const background: Subcommand = {
  name: 'background',
  summary: 'show the export to sinks, and how much is left of other work in the background',
  console: true,
  options: {},
  async run({ client, print, signal }) {
    const answer = await client.askJson<Background>('GET', '/admin/api/background', {}, signal);
    const { sinks, deletedChats, ownRelay } = answer;
    const rows = sinks.map((sink) => [
      sink.name,
      sink.enabled,
      sink.waitingChats,
      sink.lagSeconds ?? 0,
      sink.chatsToRegister,
    ]);
    const lines = [
      toTable(['SINK', 'ENABLED', 'WAITING CHATS', 'LAG (S)', 'TO REGISTER'], rows),
      `deleted chats to remove: ${deletedChats}`,
      ...(ownRelay
        ? [`relay: ${ownRelay.lagSeconds} s late${ownRelay.failure ? `, fails: ${ownRelay.failure}` : ''}`]
        : []),
    ];
    print(lines.join('\n'), answer);
  },
};

export const replay: Subcommand = {
  name: 'replay',
  summary: "deliver a chat's changes to a sink again, with new message ids",
  help: `  --sink NAME        the sink, as background lists it
  --chat ID          the chat
  --from FROM        the first number to deliver again, or a time, as in 2030-01-31T12:00:00Z
  --reason TEXT      for the audit log`,
  console: true,
  options: Object.fromEntries(['sink', 'chat', 'from', 'reason'].map((name) => [name, { type: 'string' as const }])),
  async run({ client, values, print, signal }) {
    const { sink = '', chat, from, reason } = readValues(values, ['sink', 'chat', 'from', 'reason']);
    const path = `/admin/api/sinks/${encodeURIComponent(sink)}/replay`;
    const answer = await client.act<Replay>(path, { chatId: chat, from, reason }, signal);
    const { fromSeq, toSeq, replay: count } = answer;
    print(`numbers ${fromSeq} to ${toSeq} are delivered again; their message ids end in :r${count}`, answer);
  },
};
