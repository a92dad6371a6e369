import type { Command } from '../../api/chat/v1/chat.ts';
import type { Receipt } from '../messages/receipt.ts';
import type { DurableCommand } from './durable-command.ts';

/** An unanswered command. */
export interface Pending {
  command: DurableCommand;
  resolve: (receipt: Receipt) => void;
  reject: (error: unknown) => void;
  /** Whether the service refused the command temporarily and it was not sent again yet. */
  refused: boolean;
}

/**
 * Unanswered durable commands in the order in which they were added. They outlive the streams on which they are sent. Of the changes of one
 * message only the first may be sent: a later change that overtook a repetition of an earlier one would lose against it.
 */
export class PendingCommands {
  readonly #pending = new Map<string, Pending>();
  /** The command ids of the changes of each message. */
  readonly #changes = new Map<string, string[]>();
  #lastId = 0;

  get size(): number {
    return this.#pending.size;
  }

  get all(): DurableCommand[] {
    return [...this.#pending.values()].map(({ command }) => command);
  }

  /** Returns the command with its command id, and the promise of its receipt. */
  add(body: DurableCommand): { command: Command; receipt: Promise<Receipt> } {
    const { promise: receipt, resolve, reject } = Promise.withResolvers<Receipt>();
    this.#lastId += 1;
    const commandId = `s${this.#lastId}`;
    this.#pending.set(commandId, { command: body, resolve, reject, refused: false });
    const messageId = changedBy(body);
    if (messageId !== undefined) this.#changes.set(messageId, [...(this.#changes.get(messageId) ?? []), commandId]);
    return { command: { commandId, command: body }, receipt };
  }

  get(commandId: string): Pending | undefined {
    return this.#pending.get(commandId);
  }

  /** Whether the command must wait for the answer to an earlier change of the same message. */
  mustWait({ commandId, command }: Command): boolean {
    const changes = this.#changes.get(changedBy(command) ?? '');
    return changes !== undefined && changes[0] !== commandId;
  }

  /**
   * Removes a command that the service accepted or permanently refused. Returns it, and the change of the same message that may be sent now.
   */
  take(commandId: string): { pending: Pending; next: Command | undefined } | undefined {
    const pending = this.#pending.get(commandId);
    if (!pending) return undefined;
    this.#pending.delete(commandId);
    return { pending, next: this.#nextChange(commandId, pending.command) };
  }

  /** Returns all commands that need not wait, to be sent on a new stream. The service recognises those that it has carried out already. */
  commands(): Command[] {
    return this.#commandsOf(() => true);
  }

  /** Returns the commands that were refused temporarily, in their first order. Returns each refusal once. */
  refusedCommands(): Command[] {
    return this.#commandsOf(({ refused }) => refused);
  }

  /** Rejects and removes all commands. */
  fail(error: unknown): void {
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
    this.#changes.clear();
  }

  #commandsOf(condition: (pending: Pending) => boolean): Command[] {
    const found = [...this.#pending].filter(([, pending]) => condition(pending));
    for (const [, pending] of found) pending.refused = false;
    return found.map(([commandId, { command }]) => ({ commandId, command })).filter((one) => !this.mustWait(one));
  }

  #nextChange(answeredId: string, answered: DurableCommand): Command | undefined {
    const messageId = changedBy(answered);
    if (messageId === undefined) return undefined;
    const left = (this.#changes.get(messageId) ?? []).filter((commandId) => commandId !== answeredId);
    if (left.length > 0) this.#changes.set(messageId, left);
    else this.#changes.delete(messageId);
    const [commandId = ''] = left;
    const next = this.#pending.get(commandId);
    return next && { commandId, command: next.command };
  }
}

/** Returns the id of the message that the command changes; undefined for other commands. */
function changedBy(command: Command['command']): string | undefined {
  return command && 'messageId' in command.value ? command.value.messageId : undefined;
}
