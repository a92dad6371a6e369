import type { OpenApiDocument, Operation, Response } from '../../../pkg/openapi/document.ts';

const path = '/v1/chats/{chatId}/events';
/** The operation is listed after the pages of the same messages and shares their error responses. */
const messagesPath = '/v1/chats/{chatId}/messages';

const seq = { type: 'integer', format: 'int64', minimum: 0 };

/** Adds the operation that no `google.api.http` rule can express: a chat's events as server-sent events. */
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
    summary: "Streams a chat's events as server-sent events",
    description: [
      'The service delivers missed events first and then live events, in the order of the chat. The type of an event is its name in the contract',
      '(`subscribed`, `message`, `caught_up`, `typing`, `presence`, `read`, `chat_removed`, `closing`); its data is the JSON of its value.',
      "The `id` is the number to resume after, so that a browser's EventSource reconnects without losing or repeating messages.\n\n",
      'An EventSource cannot set headers. For this operation only, the access token may be in the cookie `chat_token`.',
    ].join(' '),
    parameters: [
      { name: 'chatId', in: 'path', required: true, schema: { type: 'string', format: 'uuid' } },
      {
        name: 'afterSeq',
        in: 'query',
        description:
          'The service delivers every change after this number; 0: from the first message. Not given: live events only.',
        schema: seq,
      },
      {
        name: 'Last-Event-ID',
        in: 'header',
        description:
          'The `id` of the last event that the client received, as an EventSource sends it. Overrides `afterSeq`.',
        schema: seq,
      },
    ],
    responses: {
      ...errors,
      400: error(
        [
          '- INVALID_ARGUMENT (`INVALID_FIELDS`): the violations list the invalid fields.',
          "- OUT_OF_RANGE (`CURSOR_IN_FUTURE`): the number is greater than the chat's last number.",
        ].join('\n'),
      ),
      403: error(
        [
          '- PERMISSION_DENIED (`NOT_A_MEMBER`): the caller is not a member of the room.',
          '- PERMISSION_DENIED (`BANNED`): the caller is banned from the service.',
        ].join('\n'),
      ),
      404: error('NOT_FOUND (`CHAT_NOT_FOUND`): there is no such chat, or the caller may not see it.'),
      503: error('UNAVAILABLE (`DRAINING`, `STORAGE_UNAVAILABLE`): try again.'),
    },
  };
  get.responses[200] = {
    description: 'Events, until delivery of the chat ends (`chat_removed`) or the service ends the stream (`closing`).',
    content: { 'text/event-stream': { schema: { type: 'string' } } },
  };
  const paths = Object.entries(document.paths);
  const place = paths.findIndex(([other]) => other === messagesPath) + 1;
  document.paths = Object.fromEntries(paths.toSpliced(place, 0, [path, { get }]));
}
