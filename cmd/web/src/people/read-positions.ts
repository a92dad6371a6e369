import type { ChatClient, Message } from '../../../../pkg/chat-client/index.ts';
import { Meanwhile } from '../store/meanwhile.ts';
import { Store } from '../store/store.ts';
import { membershipChanges } from './membership-changes.ts';

/** In larger chats the service does not announce read marks. */
const maxMembers = 200;

/** The read marks of the other members of the open chat. */
export class ReadPositions {
  /** By user id. */
  readonly state = new Store<ReadonlyMap<string, number>>(new Map());
  readonly #client: ChatClient;
  readonly #ownId: string;
  #chatId: string | undefined;
  /** By user id, how often the mark was moved back. */
  readonly #generations = new Map<string, number>();
  /** Who stopped being a member. */
  readonly #meanwhile = new Meanwhile<{ chatId: string; userId: string }>();

  constructor(client: ChatClient, ownId: string) {
    this.#client = client;
    this.#ownId = ownId;
  }

  /** Reads those of one chat, and forgets the others. Throws ChatClientError. */
  async open(chatId: string, memberCount: number): Promise<void> {
    if (chatId !== this.#chatId) {
      this.state.set(new Map());
      this.#generations.clear();
    }
    this.#chatId = chatId;
    if (memberCount > maxMembers) return;
    await this.#meanwhile.during(
      () => this.#client.call('listMembers', { chatId, pageSize: maxMembers }),
      ({ members }, gone) => {
        const left = new Set(gone.filter((one) => one.chatId === chatId).map(({ userId }) => userId));
        for (const { user, readSeq, readGeneration } of members)
          if (!left.has(user?.id ?? '')) this.tell(chatId, user?.id ?? '', readSeq, readGeneration);
      },
    );
  }

  /** Members have read what was there before they wrote; system messages tell who becomes a member and who is one no more. */
  receive(message: Message): void {
    const { chatId, seq, sender } = message;
    if (sender) this.tell(chatId, sender.id, seq);
    const { came, went } = membershipChanges(message);
    for (const userId of came) this.tell(chatId, userId, 0);
    for (const userId of went) this.#forget(chatId, userId);
  }

  /** Without a generation, that of the newest known state of the mark. */
  tell(chatId: string, userId: string, seq: number, generation?: number): void {
    if (chatId !== this.#chatId || userId === this.#ownId) return;
    const known = this.#generations.get(userId) ?? 0;
    if (generation !== undefined && generation < known) return;
    const movedBack = generation !== undefined && generation > known;
    if (movedBack) this.#generations.set(userId, generation);
    if (movedBack || seq > (this.state.value.get(userId) ?? -1))
      this.state.update((marks) => new Map(marks).set(userId, seq));
  }

  #forget(chatId: string, userId: string): void {
    this.#meanwhile.happened({ chatId, userId });
    if (chatId !== this.#chatId) return;
    this.#generations.delete(userId);
    this.state.update((marks) => new Map([...marks].filter(([id]) => id !== userId)));
  }
}
