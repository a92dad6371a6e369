import type { Transaction } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import type { Message } from '../../../model/message.ts';
import type { SystemEvent } from '../../../model/system-event.ts';
import type { User } from '../../../model/user.ts';
import type { Tables } from '../connection/tables.ts';
import { messageColumns, toMessage } from '../messages/message-row.ts';
import { nextNumber } from './next-number.ts';

/** Writes a system message under the chat's next number. */
export async function insertSystemMessage(
  tx: Transaction<Tables>,
  chatId: string,
  sender: User,
  event: SystemEvent,
): Promise<Message> {
  const { seq, at } = await nextNumber(tx, chatId);
  const row = await tx
    .insertInto('messages')
    .values({
      chat_id: chatId,
      seq,
      update_seq: seq,
      id: uuidv7(),
      sender_id: sender.id,
      sender_name: sender.name,
      client_message_id: null,
      content_hash: null,
      text: '',
      system: JSON.stringify(event),
      created_at: at,
    })
    .returning(messageColumns)
    .executeTakeFirstOrThrow();
  return toMessage(row);
}
