import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { Validator } from '@seriousme/openapi-schema-validator';
import { beforeAll, describe, expect, test } from 'vitest';
import type { OpenApiDocument } from '../../../pkg/openapi/document.ts';
import { Transcoder } from '../../../pkg/transcoder/transcoder.ts';
import { grpcCodes, httpStatusOf } from '../../converter/status.ts';
import { reasons } from '../../model/errors.ts';
import { operations } from '../../model/operations.ts';
import { describeService } from './describe-service.ts';

const root = new URL('../../../', import.meta.url);
const services = ['chat.v1.ChatService', 'auth.v1.AuthService'];

let document: OpenApiDocument;
beforeAll(async () => {
  const build = promisify(execFile)('buf', ['build', '-o', '-'], {
    cwd: root,
    encoding: 'buffer',
    maxBuffer: 2 ** 24,
    env: { ...process.env, PATH: `${new URL('node_modules/.bin', root).pathname}:${process.env.PATH}` },
  });
  document = describeService((await build).stdout, { version: '1.2.3', license: 'MIT' });
});

function operation(path: string, method: string) {
  const found = document.paths[path]?.[method];
  if (!found) throw new Error(`no ${method} ${path}`);
  return found;
}

function schema(name: string) {
  const found = document.components.schemas[name];
  if (!found) throw new Error(`no ${name}`);
  return found;
}

describe('the OpenAPI document of the service', () => {
  test('is valid OpenAPI 3.1', async () => {
    const validator = new Validator();
    expect(await validator.validate(JSON.parse(JSON.stringify(document)))).toEqual({ valid: true });
    expect(validator.version).toBe('3.1');
  });

  test('is what the gateway serves, but for the version', () => {
    const served = JSON.parse(readFileSync(new URL('pkg/api/openapi.json', root), 'utf8'));
    const { version } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));
    expect(served.info.version).toBe(version);
    expect({ ...served, info: { ...served.info, version: '1.2.3' } }).toEqual(document);
  });

  test('has every route of the contract', () => {
    const transcoder = Transcoder.create(readFileSync(new URL('pkg/api/descriptors.binpb', root)), services);
    const routes = transcoder.routes.map(({ httpMethod, template, method }) => {
      const path = template.source.replace(/_([a-z])(?=[^{]*\})/g, (_whole, letter: string) => letter.toUpperCase());
      return `${httpMethod} ${path} ${method.parent.name}_${method.name}`;
    });
    const described = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { operationId }]) => `${method.toUpperCase()} ${path} ${operationId}`),
    );
    const events = 'GET /v1/chats/{chatId}/events ChatService_ConnectChat';
    expect(described.sort()).toEqual([...routes, events].sort());
    expect(new Set(described).size).toBe(described.length);
  });

  test('asks for a token for all but what anyone may call', () => {
    for (const methods of Object.values(document.paths)) {
      for (const { operationId, security } of Object.values(methods)) {
        const permission = operations[operationId.split('_')[1] as keyof typeof operations];
        expect(security, operationId).toEqual(permission.token === 'anyone' ? [] : undefined);
      }
    }
    expect(document.security).toEqual([{ bearer: [] }]);
  });

  test('describes a path with a verb', () => {
    expect(operation('/v1/rooms/{name}:join', 'post')).toMatchObject({
      operationId: 'ChatService_JoinRoom',
      tags: ['ChatService'],
      description: expect.stringMatching(/^Joining twice is harmless\./),
      parameters: [
        {
          name: 'name',
          in: 'path',
          required: true,
          description: expect.stringContaining('starting with a letter or digit'),
          schema: { minLength: 1, maxLength: 64, anyOf: [{ pattern: '^[\\p{L}\\p{N}][\\p{L}\\p{N}_.-]*$' }] },
        },
      ],
    });
  });

  test('describes the query of a page of messages, in the words of the contract', () => {
    const { summary, parameters, requestBody } = operation('/v1/chats/{chatId}/messages', 'get');
    expect(summary).toBe("ListMessages returns a page of a chat's messages by sequence number");
    expect(requestBody).toBeUndefined();
    expect(parameters).toEqual([
      { name: 'chatId', in: 'path', required: true, schema: { type: 'string', format: 'uuid' } },
      {
        name: 'beforeSeq',
        in: 'query',
        description: 'Returns only messages with a smaller `seq`. Cannot be combined with `afterSeq`.',
        schema: { type: 'integer', format: 'int64', minimum: 1 },
      },
      {
        name: 'afterSeq',
        in: 'query',
        description: 'Returns only messages with a greater `seq`; 0 starts at the first message.',
        schema: { type: 'integer', format: 'int64', minimum: 0 },
      },
      {
        name: 'pageSize',
        in: 'query',
        description:
          "Maximum number of items in the page; 0 means 50. The service's own limit is 200 unless configured.",
        schema: { type: 'integer', format: 'int32', minimum: 0, maximum: 1000 },
      },
    ]);
  });

  test('gives the limits of what is sent', () => {
    expect(schema('ChatService_SendMessageBody')).toMatchObject({
      properties: {
        clientMessageId: { minLength: 1, maxLength: 64, pattern: '^[!-~]+$' },
        text: { minLength: 1, maxLength: 65_536 },
      },
      required: ['clientMessageId', 'text'],
    });
    expect(schema('chat.v1.CreateChatRequest')).toMatchObject({
      properties: {
        type: { enum: ['CHAT_TYPE_DIRECT', 'CHAT_TYPE_GROUP', 'CHAT_TYPE_ROOM'] },
        memberIds: { maxItems: 1000, uniqueItems: true, items: { minLength: 1, maxLength: 128 } },
      },
      required: ['type'],
    });
  });

  test('says of what is answered which fields are always there', () => {
    const message = schema('chat.v1.Message');
    expect(message.required).toEqual(Object.keys(message.properties ?? {}));
    expect(message.properties).toMatchObject({
      seq: { type: 'string', format: 'int64' },
      createdAt: { type: ['string', 'null'], format: 'date-time' },
      system: { anyOf: [{ $ref: '#/components/schemas/chat.v1.SystemMessage' }, { type: 'null' }] },
    });
    expect(schema('chat.v1.SystemMessage').required).toBeUndefined();
    expect(schema('auth.v1.GetOpenIdConfigurationResponse').required).toContain('jwks_uri');
  });

  test('lists the errors of a call under their HTTP status', () => {
    const { responses } = operation('/v1/chats/{chatId}/messages', 'post');
    expect(Object.keys(responses)).toEqual(['200', '400', '401', '403', '404', '409', '503', 'default']);
    expect(responses[409]).toEqual({
      description: 'ALREADY_EXISTS (`MESSAGE_ID_REUSED`): the id was used with other content; nothing is changed.',
      content: { 'application/json': { schema: { $ref: '#/components/schemas/google.rpc.Status' } } },
    });
    expect(responses[503]?.description).toContain('`STORAGE_UNAVAILABLE`, `WRITER_BUSY`');
    const registering = operation('/v1/auth/register', 'post').responses;
    expect(registering[409]?.description).toBe(
      'ALREADY_EXISTS (`USERNAME_TAKEN`): another account has this user name.',
    );
    expect(registering[400]?.description).toContain('too easy to guess');
  });

  test('names no other error reason than those of the service', () => {
    for (const methods of Object.values(document.paths)) {
      for (const { operationId, responses } of Object.values(methods)) {
        for (const [status, { description = '' }] of Object.entries(responses)) {
          for (const [, code = '', names = ''] of description.matchAll(/([A-Z_]+) \((`[A-Z_`, ]+`)\)/g)) {
            for (const name of names.replaceAll('`', '').split(', ')) {
              expect(reasons[name as keyof typeof reasons], `${operationId} ${name}`).toBe(code);
              expect(httpStatusOf(grpcCodes[code as keyof typeof grpcCodes])).toBe(Number(status));
            }
          }
        }
      }
    }
  });
});
