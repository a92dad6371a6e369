import {
  type ChatClient,
  ChatClientError,
  type ChatClientEvents,
  type Mention,
  type Message,
  type PendingChange,
} from '../../../../pkg/chat-client/index.ts';
import { explain } from '../session/explain.ts';
import { Store } from '../store/store.ts';

/** What the user does to a message that the service has stored. */
export type OwnChange =
  /** The editor is open. `version` is the `updateSeq` of what the user began to edit. */
  | { kind: 'editing'; text: string; version: number; problem: string }
  /** The service has not answered yet. */
  | { kind: 'saving'; text: string }
  | { kind: 'deleting' }
  | { kind: 'not_deleted'; problem: string };

interface Deps {
  chatId: string;
  client: ChatClient;
  /** Handles the new state of a message. */
  onChange: (message: Message) => void;
  /** Returns the newest known state of a message. */
  find: (messageId: string) => Message | undefined;
  /** Returns whom a typed text mentions. Never throws. */
  mentionsIn: (text: string) => Promise<Mention[]>;
}

/** The user's edits and deletions in one chat, from the open editor to the service's answer. They wait while there is no connection. */
export class OwnChanges {
  /** By message id. */
  readonly state: Store<ReadonlyMap<string, OwnChange>>;
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
    const pending = deps.client.pendingChanges.filter(({ chatId }) => chatId === deps.chatId);
    this.state = new Store(new Map(pending.map((one) => [one.messageId, toOwnChange(one)])));
  }

  /** Shows a change that another tab of the user has left, unless the user is changing the message here. */
  takeOver(change: PendingChange): void {
    if (!this.state.value.has(change.messageId)) this.#set(change.messageId, toOwnChange(change));
  }

  /** Opens the editor of a message, unless it is being changed already. */
  begin({ id, text, updateSeq }: Message): void {
    const { kind } = this.state.value.get(id) ?? {};
    if (kind === undefined || kind === 'not_deleted') {
      this.#set(id, { kind: 'editing', text, version: updateSeq, problem: '' });
    }
  }

  type(messageId: string, text: string): void {
    const open = this.#editing(messageId);
    if (open) this.#set(messageId, { ...open, text });
  }

  /** Saves what is in the editor. If the service refuses, the editor opens again with the same text. */
  save(messageId: string): void {
    const open = this.#editing(messageId);
    if (!open) return;
    const { text, version } = open;
    if (text === this.#deps.find(messageId)?.text) return this.drop(messageId);
    this.#set(messageId, { kind: 'saving', text });
    const { client, chatId, mentionsIn } = this.#deps;
    const edit = async (mentions: Mention[]) => client.edit(chatId, messageId, text, { ifVersion: version, mentions });
    // The events tell of success and refusal, too, but not when the client has no room or is closed.
    const edited = text.includes('@') ? mentionsIn(text).then(edit) : edit([]);
    edited.catch((error: unknown) => {
      if (this.state.value.get(messageId)?.kind === 'saving') this.#openAgain(messageId, text, version, error);
    });
  }

  delete(messageId: string): void {
    this.#set(messageId, { kind: 'deleting' });
    const { client, chatId } = this.#deps;
    client.delete(chatId, messageId).catch((error: unknown) => this.#notDeleted(messageId, error));
  }

  /** Closes the editor, or forgets why the message was not deleted. */
  drop(messageId: string): void {
    if (!this.state.value.has(messageId)) return;
    this.state.update((changes) => new Map([...changes].filter(([id]) => id !== messageId)));
  }

  /** Handles that the service stored a change. */
  sent(change: ChatClientEvents['changeSent']): void {
    const message = this.#deps.find(change.messageId);
    if (message && change.seq > message.updateSeq) this.#deps.onChange(after(message, change));
    this.drop(change.messageId);
  }

  /** Handles that the service refused a change. */
  refused(change: ChatClientEvents['changeRefused']): void {
    const { messageId, error } = change;
    if (change.kind === 'delete') this.#notDeleted(messageId, error);
    if (change.kind === 'edit') this.#openAgain(messageId, change.text, change.ifVersion ?? 0, error);
  }

  #editing(messageId: string) {
    const change = this.state.value.get(messageId);
    return change?.kind === 'editing' ? change : undefined;
  }

  #openAgain(messageId: string, text: string, version: number, error: unknown): void {
    this.#set(messageId, { kind: 'editing', text, version, problem: explain(error) });
    if (error instanceof ChatClientError && error.reason === 'VERSION_CONFLICT') void this.#readVersion(messageId);
  }

  /** Reads the version that another change has made: having seen it, the user may replace it. */
  async #readVersion(messageId: string): Promise<void> {
    const { client, chatId, onChange } = this.#deps;
    try {
      const { message } = await client.call('getMessage', { chatId, messageId });
      if (!message) return;
      onChange(message);
      const open = this.#editing(messageId);
      if (!open) return;
      const problem = message.deletedAt ? 'The message has been deleted meanwhile.' : changedMeanwhile(message.text);
      this.#set(messageId, { ...open, version: message.updateSeq, problem });
    } catch (error) {
      const open = this.#editing(messageId);
      if (open) this.#set(messageId, { ...open, problem: explain(error) });
    }
  }

  #notDeleted(messageId: string, error: unknown): void {
    this.#set(messageId, { kind: 'not_deleted', problem: explain(error) });
  }

  #set(messageId: string, change: OwnChange): void {
    this.state.update((changes) => new Map(changes).set(messageId, change));
  }
}

function toOwnChange(change: PendingChange): OwnChange {
  return change.kind === 'edit' ? { kind: 'saving', text: change.text } : { kind: 'deleting' };
}

function changedMeanwhile(text: string): string {
  return `The message has changed meanwhile. It is now: “${text}”. Save again to replace that.`;
}

/** Returns the message as it is after the change. */
function after(message: Message, change: ChatClientEvents['changeSent']): Message {
  const { kind, seq, createdAt } = change;
  if (kind === 'delete') return { ...message, text: '', mentions: [], updateSeq: seq, deletedAt: createdAt };
  if (kind !== 'edit') return message;
  const { text, mentions = [] } = change;
  return { ...message, text, mentions: [...mentions], updateSeq: seq, editedAt: createdAt };
}
