import pg from 'pg';
import { ChatType } from '../../../pkg/chat-client/index.ts';
import { newPerson, type Person } from './people.ts';

export interface Scene {
  /** Whose page is shown. */
  me: Person;
  people: Person[];
  /** The chat that is shown. */
  chatId: string;
  /** Somebody who is typing in it. */
  typist: Person;
}

/** Minutes before now, who, what. */
type Line = [number, Person, string, Beside?];

interface Beside {
  /** The text of the earlier line that this one answers. */
  replyTo?: string;
  reactions?: [string, Person[]][];
}

/** Fills a service with what people might say to each other. */
export async function setScene(url: string, dsn: string): Promise<Scene> {
  const [me, ben, ines, tomas, ruth] = await Promise.all([
    newPerson(url, 'anna', 'Anna Lindqvist'),
    newPerson(url, 'ben', 'Ben Okafor'),
    newPerson(url, 'ines', 'Inês Carvalho'),
    newPerson(url, 'tomas', 'Tomáš Novák'),
    newPerson(url, 'ruth', 'Ruth Feldman'),
  ]);
  const people = [me!, ben!, ines!, tomas!, ruth!];
  const group = await newGroup(ines!, 'Lighthouse weekend', [me!, ben!, tomas!]);
  await talk(dsn, group, weekend(me!, ben!, ines!, tomas!));
  await readAll(people.slice(0, 4), group);

  const books = await me!.client.joinRoom('books');
  for (const one of [ben!, ruth!, ines!]) await one.client.joinRoom('books');
  await talk(dsn, books.id, [
    [2_900, ruth!, 'Finished “The Summer Book” on the train. Who has it next?'],
    [95, ben!, 'I have two copies, in fact.'],
    [52, ruth!, 'Then Thursday, seven o’clock, the usual table?'],
  ]);
  const sailing = await me!.client.joinRoom('sailing');
  await tomas!.client.joinRoom('sailing');
  await talk(dsn, sailing.id, [[4_400, tomas!, 'Gale warning for Sunday. I am leaving the boat where it is.']]);
  await me!.client.markRead(sailing.id, 3);
  const withRuth = await ruth!.client.openDirect(me!.userId);
  await talk(dsn, withRuth.id, [
    [31, ruth!, 'Did the parcel come?'],
    [29, ruth!, 'The postman swore he left it with your neighbour.'],
  ]);
  const withBen = await me!.client.openDirect(ben!.userId);
  await talk(dsn, withBen.id, [
    [1_500, ben!, 'Thank you for yesterday!'],
    [1_490, me!, 'Any time. Bring the dog again.'],
  ]);
  await me!.client.markRead(withBen.id, 2);
  return { me: me!, people, chatId: group, typist: tomas! };
}

const ferry = 'The ferry goes at 16:40 on Friday, the next one at nine in the morning.';

function weekend(me: Person, ben: Person, ines: Person, tomas: Person): Line[] {
  return [
    [1_560, ines, 'The keeper’s cottage is ours from Friday to Sunday. Four beds, one stove, no signal.'],
    [1_558, ines, 'Pictures and the way there: https://lighthouse.example/cottage'],
    [1_551, tomas, 'No signal sounds perfect.'],
    [1_540, me, 'I can drive. There is room for three and one guitar.', { reactions: [['🙏', [ben, ines]]] }],
    [1_538, ben, 'Shotgun. Also: guitar.'],
    [74, ines, ferry],
    [73, ines, 'So let us not miss it.'],
    [66, me, 'I will be at yours at two, then, and at Ben’s by half past.'],
    [64, tomas, 'I come from work with the train and meet you at the pier.', { replyTo: ferry }],
    [
      41,
      ben,
      'Who brings food?\nI have coffee, bread and far too much cheese.',
      {
        reactions: [
          ['😂', [ines, me]],
          ['❤️', [tomas]],
        ],
      },
    ],
    [38, ines, 'Soup for Friday night. It only needs warming up.'],
    [12, me, 'Apples from the garden, and I will bake something.'],
    [11, me, 'Does anybody not eat walnuts?'],
  ];
}

async function newGroup(owner: Person, name: string, members: Person[]): Promise<string> {
  const memberIds = members.map(({ userId }) => userId);
  const { chat } = await owner.client.call('createChat', { type: ChatType.GROUP, name, memberIds });
  return chat!.id;
}

async function readAll(people: Person[], chatId: string): Promise<void> {
  for (const { client } of people) {
    const [last] = await client.history(chatId, { pageSize: 1 });
    await client.markRead(chatId, last!.seq);
  }
}

/** Sends the lines in order, and dates them back. */
async function talk(dsn: string, chatId: string, lines: Line[]): Promise<void> {
  const database = new pg.Client({ connectionString: dsn });
  // It breaks if the server ends after an interruption.
  database.on('error', () => {});
  await database.connect();
  try {
    const back = `update messages set created_at = now() - make_interval(mins => $3) where chat_id = $1 and seq = $2`;
    const oldest = lines[0]![0];
    await database.query('update messages set created_at = now() - make_interval(mins => $2) where chat_id = $1', [
      chatId,
      oldest + 5,
    ]);
    const ids = new Map<string, string>();
    for (const [minutes, { client }, text, { replyTo = '', reactions = [] } = {}] of lines) {
      const { seq, messageId } = await client.send(chatId, text, { replyTo: ids.get(replyTo) });
      ids.set(text, messageId);
      await database.query(back, [chatId, seq, minutes]);
      for (const [emoji, people] of reactions) {
        for (const person of people) await person.client.react(chatId, messageId, emoji);
      }
    }
  } finally {
    await database.end();
  }
}
