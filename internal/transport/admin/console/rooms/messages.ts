import type { Message } from '../../../../model/message.ts';
import type { Principal } from '../../../../model/principal.ts';
import type { MessageLooks } from '../../../../service/chats/message-looks.ts';
import { type FieldFault, invalidFields } from '../../refusal.ts';
import type { Route } from '../../route.ts';
import { readTexts } from '../body.ts';
import { at, type Operations } from '../operations.ts';
import { withRefusals } from '../to-refusal.ts';

const uuid = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** A look at a chat's messages, which leaves a trace and is therefore a POST. */
export function looksRoutes(looks: MessageLooks): Route[] {
  return [
    {
      method: 'POST',
      path: '/admin/api/chats/:id/look',
      access: 'admin',
      async handle(request, response) {
        const { beforeSeq } = await readTexts(request, [], ['beforeSeq']);
        const { principal } = response.locals as { principal: Principal };
        const chatId = String(request.params.id);
        const faults: FieldFault[] = [];
        if (!uuid.test(chatId)) faults.push({ field: 'id', description: 'must be the id of a chat, a UUID' });
        if (!/^(|[1-9]\d{0,14})$/.test(beforeSeq))
          faults.push({ field: 'beforeSeq', description: 'must be a number from 1' });
        if (faults.length > 0) throw invalidFields(faults);
        const before = beforeSeq === '' ? undefined : Number(beforeSeq);
        const { messages, hasMore } = await withRefusals(() => looks.look(principal, chatId, before));
        response.json({ messages: messages.map(toShown), hasMore });
      },
    },
  ];
}

/** The deletion of a single message, by the contract's own operation. Nobody can restore it. */
export function deletionRoutes(operations: Operations): Route[] {
  return [
    {
      method: 'POST',
      path: '/admin/api/chats/:id/messages/:messageId/delete',
      access: 'admin',
      async handle(request, response) {
        const { reason } = await readTexts(request, ['reason']);
        const path = at`/v1/chats/${String(request.params.id)}/messages/${String(request.params.messageId)}`;
        response.json(await operations.call(request, response, { method: 'DELETE', path, query: { reason } }));
      },
    },
  ];
}

function toShown({ id, seq, sender, text, createdAt, editedAt, deletion, system }: Message) {
  const deleted = deletion && { at: deletion.at, by: deletion.by };
  return { id, seq, sender, text, createdAt, editedAt, deleted, system: system?.kind };
}
