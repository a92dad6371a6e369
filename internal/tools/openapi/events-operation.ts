import type { OpenApiDocument, Operation, Response } from '../../../pkg/openapi/document.ts';

const path = '/v1/chats/{chatId}/events';
/** It stands beside the pages of the same messages, and fails for the same reasons. */
const messagesPath = '/v1/chats/{chatId}/messages';

const seq = { type: 'integer', format: 'int64', minimum: 0 };

/** Adds what no `google.api.http` rule can say: a chat's events as a stream of server-sent events. */
export function addEventsOperation(document: OpenApiDocument): void {
  const errors = document.paths[messagesPath]?.get?.responses ?? {};
  const status = { $ref: '#/components/schemas/google.rpc.Status' };
  const error = (description: string): Response => ({
    description,
    content: { 'application/json': { schema: status } },
  });
  const get: Operation = {
    operationId: 'ChatService_ConnectChat',
    tags: ['ChatService'],
    summary: "A chat's events as they happen, as server-sent events",
    description: [
      'What was missed comes first, then what happens, in the order of the chat. The type of an event is its name in the contract',
      '(`subscribed`, `message`, `caught_up`, `typing`, `presence`, `read`, `chat_removed`, `closing`), its data the JSON of its value.',
      "The `id` is the number to resume after, so that a browser's EventSource goes on by itself where it was.\n\n",
      'An EventSource cannot set headers: its access token may come in the cookie `chat_token`, here and nowhere else.',
    ].join(' '),
    parameters: [
      { name: 'chatId', in: 'path', required: true, schema: { type: 'string', format: 'uuid' } },
      {
        name: 'afterSeq',
        in: 'query',
        description:
          'Everything after this number is told; 0: from the beginning. Absent: only what happens from now on.',
        schema: seq,
      },
      {
        name: 'Last-Event-ID',
        in: 'header',
        description:
          'The `id` of the last event that was seen, as an EventSource sends it. Counts instead of `afterSeq`.',
        schema: seq,
      },
    ],
    responses: {
      ...errors,
      400: error(
        [
          '- INVALID_ARGUMENT (`INVALID_FIELDS`): the violations name the fields at fault.',
          '- OUT_OF_RANGE (`CURSOR_IN_FUTURE`): the chat has not come that far.',
        ].join('\n'),
      ),
      403: error(
        [
          '- PERMISSION_DENIED (`NOT_A_MEMBER`): the caller is not a member of the room.',
          '- PERMISSION_DENIED (`BANNED`): the caller is banned from the service.',
        ].join('\n'),
      ),
      404: error('NOT_FOUND (`CHAT_NOT_FOUND`): there is none, or the caller may not see it.'),
      503: error('UNAVAILABLE (`DRAINING`, `STORAGE_UNAVAILABLE`): try again.'),
    },
  };
  get.responses[200] = {
    description: 'The events, until the chat is gone for the caller or the service says `closing`.',
    content: { 'text/event-stream': { schema: { type: 'string' } } },
  };
  const paths = Object.entries(document.paths);
  const place = paths.findIndex(([other]) => other === messagesPath) + 1;
  document.paths = Object.fromEntries(paths.toSpliced(place, 0, [path, { get }]));
}
