import { enterChat } from './find-chat.ts';
import { type Subcommand, UsageError } from './subcommand.ts';

export const sendMessage: Subcommand = {
  name: 'send-message',
  parameters: 'CHAT [TEXT]',
  positionals: { min: 1, max: 2 },
  summary: 'send a text, or standard input if TEXT is absent or -; joins a room',
  help: `  --id ID            your id for the message: sending again with the same id is safe, and stores it once
  --data JSON        what programs need besides the text: a JSON object, up to 5 KiB
  --type TYPE        a name that tells programs what the message is (default: text)
  --silent           it counts as unread for nobody
  --reply-to ID      the id of the message that it replies to
  --root ID          the id of the message whose thread it joins`,
  options: {
    id: { type: 'string' },
    data: { type: 'string' },
    type: { type: 'string' },
    silent: { type: 'boolean' },
    'reply-to': { type: 'string' },
    root: { type: 'string' },
  },
  async run({ options, client, print, readInput, stdinIsTerminal }) {
    const [chat = '', given = '-'] = options.positionals;
    if (given === '-' && options.positionals.length < 2 && stdinIsTerminal) {
      throw new UsageError('the text: give TEXT, or - to type it and end it with Ctrl-D');
    }
    const text = given === '-' ? (await readInput()).replace(/\r?\n$/, '') : given;
    if (text === '') throw new UsageError('the text is empty');
    const data = options.values.data === undefined ? undefined : parseData(String(options.values.data));
    const opened = await client();
    const chatId = await enterChat(opened, chat);
    const clientMessageId = String(options.values.id ?? crypto.randomUUID());
    const { messageId, seq, createdAt } = await opened.call('sendMessage', {
      chatId,
      text,
      clientMessageId,
      data,
      type: options.values.type as string | undefined,
      silent: options.values.silent === true,
      replyToId: options.values['reply-to'] as string | undefined,
      rootId: options.values.root as string | undefined,
    });
    const place = seq > 0 ? `as number ${seq} ` : '';
    await print(`Sent ${place}(${messageId})`, { chatId, messageId, seq, createdAt, clientMessageId });
  },
};

function parseData(text: string): Record<string, unknown> {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    // It is refused below.
  }
  if (typeof data === 'object' && data !== null && !Array.isArray(data)) return data as Record<string, unknown>;
  throw new UsageError('--data must be a JSON object, such as {"order": 7}');
}
