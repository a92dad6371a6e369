import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { anyOf, ChatClient, type ChatClientError, guest, webSocketTransport } from '../../pkg/chat-client/index.ts';
import { percentile } from './percentile.ts';

/** The task of this process, in a file whose path is its argument. */
export interface CrowdTask {
  urls: string[];
  clients: number;
}

export interface CrowdReport {
  acknowledged: number;
  /** Acknowledged messages that a member of the room did not receive. */
  lost: number;
  doubled: number;
  disordered: number;
  /** Sends that were refused or never answered. */
  failed: number;
  reconnections: number;
  resumeP50Ms: number;
  resumeP99Ms: number;
}

const membersOfRoom = 50;
/** Messages per second, of all clients together. */
const rate = 100;

class Member {
  readonly client: ChatClient;
  readonly received: { id: string; seq: number }[] = [];
  readonly gaps: number[] = [];

  constructor({ urls }: CrowdTask, name: string) {
    const transport = anyOf(urls.map((url) => webSocketTransport(url)));
    this.client = new ChatClient({ transport, token: guest(name) });
    this.client.on('message', ({ id, seq, system }) => system ?? this.received.push({ id, seq }));
    let offlineSince: number | undefined;
    this.client.on('state', ({ kind }) => {
      if (kind === 'offline') offlineSince ??= performance.now();
      if (kind !== 'online' || offlineSince === undefined) return;
      this.gaps.push(performance.now() - offlineSince);
      offlineSince = undefined;
    });
  }
}

async function run(task: CrowdTask): Promise<void> {
  const rooms: { id: string; members: Member[]; acknowledged: string[] }[] = [];
  for (let at = 0; at < task.clients; at += membersOfRoom) {
    const count = Math.min(membersOfRoom, task.clients - at);
    const members = Array.from({ length: count }, (_, i) => new Member(task, `rolling-${at + i}`));
    await Promise.all(members.map(({ client }) => client.connect()));
    const joined = await Promise.all(members.map(({ client }) => client.joinRoom(`rolling-${at}`)));
    rooms.push({ id: joined[0]!.id, members, acknowledged: [] });
  }
  const sends: Promise<unknown>[] = [];
  const failures: ChatClientError[] = [];
  const timer = setInterval(() => {
    const { id, members, acknowledged } = rooms[Math.floor(Math.random() * rooms.length)]!;
    const { client } = members[Math.floor(Math.random() * members.length)]!;
    const sent = client.send(id, 'How is the weather over there?');
    sends.push(
      sent.then(
        ({ messageId }) => acknowledged.push(messageId),
        (error) => failures.push(error),
      ),
    );
  }, 1_000 / rate);
  await sleep(2_000);
  process.send?.('online');
  await new Promise((resolve) => process.once('message', resolve));
  clearInterval(timer);
  await Promise.all(sends);
  const complete = () =>
    rooms.every(({ members, acknowledged }) => members.every(({ received }) => received.length >= acknowledged.length));
  for (const giveUpAt = performance.now() + 20_000; !complete() && performance.now() < giveUpAt; ) {
    await sleep(50);
  }
  process.send?.(report(rooms, failures.length));
}

function report(rooms: readonly { members: Member[]; acknowledged: string[] }[], failed: number): CrowdReport {
  let lost = 0;
  let doubled = 0;
  let disordered = 0;
  for (const { members, acknowledged } of rooms) {
    for (const { received } of members) {
      const ids = new Set(received.map(({ id }) => id));
      lost += acknowledged.filter((id) => !ids.has(id)).length;
      doubled += received.length - ids.size;
      disordered += received.filter(({ seq }, i) => i > 0 && seq < received[i - 1]!.seq).length;
    }
  }
  const gaps = rooms.flatMap(({ members }) => members.flatMap(({ gaps }) => gaps));
  return {
    acknowledged: rooms.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0),
    lost,
    doubled,
    disordered,
    failed,
    reconnections: gaps.length,
    resumeP50Ms: percentile(gaps, 0.5),
    resumeP99Ms: percentile(gaps, 0.99),
  };
}

await run(JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as CrowdTask);
process.exit(0);
