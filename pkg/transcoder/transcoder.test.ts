import { create, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { beforeAll, describe, expect, test } from 'vitest';
import { protoFile } from './testing/compile-protos.ts';
import { startTranscoding, type Transcoding } from './testing/transcoding.ts';

/** The examples of google/api/http.proto, in its order, and what the conventions of grpc-gateway add. */
const proto = protoFile(`
service Messaging {
  rpc GetByName(GetByNameRequest) returns (Message) { option (google.api.http) = {get: "/v1/{name=messages/*}"}; }
  rpc GetMessage(GetMessageRequest) returns (Message) {
    option (google.api.http) = {
      get: "/v2/messages/{message_id}"
      additional_bindings { get: "/v2/users/{user_id}/messages/{message_id}" }
      additional_bindings { custom: {kind: "SEARCH" path: "/v2/messages"} }
    };
  }
  rpc UpdateField(UpdateMessageRequest) returns (Message) {
    option (google.api.http) = {patch: "/v3/messages/{message_id}" body: "message"};
  }
  rpc UpdateAll(Message) returns (Message) {
    option (google.api.http) = {patch: "/v4/messages/{message_id}" body: "*"};
  }
  rpc UpdateNamed(UpdateMessageRequest) returns (Message) {
    option (google.api.http) = {put: "/v5/{message.message_id=messages/*}/{sub.subfield}" body: "message"};
  }
  rpc ReplaceTags(TagsRequest) returns (TagsRequest) {
    option (google.api.http) = {put: "/v6/tags" body: "tags" response_body: "tags"};
  }
  rpc GetFile(GetByNameRequest) returns (Message) { option (google.api.http) = {get: "/v7/files/{name=**}:read"}; }
  rpc GetMessageOf(TagsRequest) returns (UpdateMessageRequest) {
    option (google.api.http) = {post: "/v8/tags" response_body: "message"};
  }
  rpc Wrap(Wrapped) returns (Wrapped) {
    option (google.api.http) = {post: "/v9/{the_message.message_id}/{constructor.message_id}" body: "*"};
  }
  rpc Watch(GetByNameRequest) returns (stream Message);
}
message GetByNameRequest { string name = 1; }
message GetMessageRequest {
  message SubMessage { string subfield = 1; }
  string message_id = 1;
  int64 revision = 2;
  SubMessage sub = 3;
  string user_id = 4;
}
message UpdateMessageRequest {
  string message_id = 1;
  Message message = 2;
  GetMessageRequest.SubMessage sub = 3;
  int32 mask = 4;
}
message Message {
  string message_id = 1;
  string text = 2;
}
message Wrapped {
  Message the_message = 1;
  Message constructor = 2;
}
message TagsRequest { repeated string tags = 1; }
`);

let messaging: Transcoding;
beforeAll(async () => {
  messaging = await startTranscoding(proto, 'Messaging');
});

describe('the examples of google/api/http.proto', () => {
  test.each([
    ['GET /v1/messages/123456', 'GetByName', { name: 'messages/123456' }],
    [
      'GET /v2/messages/123456?revision=2&sub.subfield=foo',
      'GetMessage',
      { messageId: '123456', revision: '2', sub: { subfield: 'foo' } },
    ],
    ['GET /v2/users/me/messages/123456', 'GetMessage', { messageId: '123456', userId: 'me' }],
    ['SEARCH /v2/messages?messageId=123456', 'GetMessage', { messageId: '123456' }],
  ])('%s', (request, rpc, expected) => {
    const [method = '', target = ''] = request.split(' ');
    expect(messaging.ask(method, target)).toEqual({ rpc, request: expected });
  });

  test('a field as the body, the others in path and query', () => {
    expect(messaging.ask('PATCH', '/v3/messages/123456?mask=3', { text: 'Hi!' })).toEqual({
      rpc: 'UpdateField',
      request: { messageId: '123456', message: { text: 'Hi!' }, mask: 3 },
    });
    expect(messaging.ask('PATCH', '/v3/messages/123456')).toMatchObject({ request: { messageId: '123456' } });
  });

  test('all that is not in the path as the body; then there is no query', () => {
    expect(messaging.ask('PATCH', '/v4/messages/123456', { text: 'Hi!' })).toEqual({
      rpc: 'UpdateAll',
      request: { messageId: '123456', text: 'Hi!' },
    });
    expect(messaging.ask('PATCH', '/v4/messages/123456')).toMatchObject({ request: { messageId: '123456' } });
    expect(messaging.ask('PATCH', '/v4/messages/123456?text=x', {})).toEqual(['text must be given in the body']);
  });

  test('the path reaches into the body and into messages that are not there', () => {
    expect(messaging.ask('PUT', '/v5/messages/1%2F2/x', { text: 'Hi!', messageId: 'ignored' })).toMatchObject({
      request: { message: { messageId: 'messages/1%2F2', text: 'Hi!' }, sub: { subfield: 'x' } },
    });
    expect(messaging.ask('PUT', '/v5/messages/1/x')).toMatchObject({
      request: { message: { messageId: 'messages/1' } },
    });
    expect(messaging.ask('PUT', '/v5/messages/1/x', 'null')).toMatchObject({
      request: { message: { messageId: 'messages/1' } },
    });
    expect(messaging.ask('PUT', '/v5/messages/1/x', [])).toEqual(['message must be an object, not an array']);
  });

  test('** is the rest of the path', () => {
    expect(messaging.ask('GET', '/v7/files/a/b/c.txt:read')).toMatchObject({ request: { name: 'a/b/c.txt' } });
  });
});

describe('path, query and body', () => {
  test('the path wins over the body, whichever way the body spells the field and whatever it is there', () => {
    for (const body of [
      { messageId: 'b' },
      { message_id: 'b' },
      { messageId: 5, message_id: {} },
      { messageId: null },
    ]) {
      expect(messaging.ask('PATCH', '/v4/messages/a', body)).toMatchObject({ request: { messageId: 'a' } });
    }
  });

  test('the path adds to a message of the body, whichever way that is spelled, and to one that is not there', () => {
    for (const name of ['the_message', 'theMessage']) {
      expect(messaging.ask('POST', '/v9/a/b', { [name]: { text: 'Hi!', message_id: 'c' } })).toMatchObject({
        request: { theMessage: { messageId: 'a', text: 'Hi!' }, constructor: { messageId: 'b' } },
      });
    }
    expect(messaging.ask('POST', '/v9/a/b', { theMessage: 5 })).toEqual([
      'the_message must be an object, not a number',
    ]);
  });

  test('a field that is in path or body cannot be in the query', () => {
    expect(messaging.ask('GET', '/v2/messages/1?message_id=2')).toEqual(['message_id must be given in the path only']);
    expect(messaging.ask('PATCH', '/v3/messages/1?messageId=2&message.text=x')).toEqual([
      'message_id must be given in the path only',
      'message.text must be given in the body',
    ]);
  });

  test('a list can be the body, and the answer', () => {
    expect(messaging.ask('PUT', '/v6/tags', ['a', 'b'])).toMatchObject({ request: { tags: ['a', 'b'] } });
    expect(messaging.ask('PUT', '/v6/tags', ['a', 5])).toEqual(['tags[1] must be a string, not a number']);
    expect(messaging.ask('PUT', '/v6/tags', '["a"')).toMatchObject([expect.stringMatching(/^body must be JSON: /)]);
  });

  test('a route without a body takes none', () => {
    expect(messaging.ask('GET', '/v1/messages/1', {})).toEqual(['body must be empty']);
    expect(messaging.ask('GET', '/v1/messages/1', '')).toMatchObject({ rpc: 'GetByName' });
  });
});

describe('answers', () => {
  function answer(rpc: string, ...init: object[]): string {
    const route = messaging.transcoder.routes.find(({ method }) => method.name === rpc)!;
    const message = create(route.method.output, Object.assign({}, ...init) as never);
    return messaging.transcoder.encodeResponse(route, toBinary(route.method.output, message));
  }

  test('are JSON with the fields that are not set', () => {
    expect(answer('GetByName', { messageId: 'a' })).toBe('{"messageId":"a","text":""}');
  });

  test('are one field if the rule says so, null if it is not set', () => {
    expect(answer('ReplaceTags', { tags: ['a', 'b'] })).toBe('["a","b"]');
    expect(answer('ReplaceTags')).toBe('[]');
    expect(answer('GetMessageOf')).toBe('null');
  });

  test('that are no message of their type are an Error', () => {
    const route = messaging.transcoder.routes[0]!;
    expect(() => messaging.transcoder.encodeResponse(route, new Uint8Array([10, 200, 1]))).toThrow(Error);
  });
});

test('the routes are those of the rules, with their calls; a method without a rule has none', () => {
  const { routes } = messaging.transcoder;
  expect(routes.filter(({ method }) => method.name === 'GetMessage')).toMatchObject([
    { httpMethod: 'GET', template: { source: '/v2/messages/{message_id}' }, rpc: '/test.v1.Messaging/GetMessage' },
    { httpMethod: 'GET', template: { source: '/v2/users/{user_id}/messages/{message_id}' } },
    { httpMethod: 'SEARCH', template: { source: '/v2/messages' } },
  ]);
  expect(routes.some(({ method }) => method.name === 'Watch')).toBe(false);
});

describe('errors', () => {
  const details = (...anys: { typeUrl: string; value: Uint8Array }[]) => {
    const desc = messaging.registry.getMessage('google.rpc.Status')!;
    return toBinary(desc, create(desc, { details: anys } as never) as MessageShape<typeof desc>);
  };

  test('have their details in JSON, unset fields included', () => {
    const info = messaging.registry.getMessage('google.rpc.ErrorInfo')!;
    const value = toBinary(info, create(info, { reason: 'NO' } as never));
    const json = messaging.transcoder.encodeStatus({
      code: 5,
      message: 'not there',
      details: details({ typeUrl: 'type.googleapis.com/google.rpc.ErrorInfo', value }),
    });
    expect(JSON.parse(json)).toEqual({
      code: 5,
      message: 'not there',
      details: [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'NO', domain: '', metadata: {} }],
    });
  });

  test('begin each detail with its type', () => {
    const info = messaging.registry.getMessage('google.rpc.ErrorInfo')!;
    const value = toBinary(info, create(info, { reason: 'NO' } as never));
    const typeUrl = 'type.googleapis.com/google.rpc.ErrorInfo';
    const json = messaging.transcoder.encodeStatus({ code: 5, message: '', details: details({ typeUrl, value }) });
    expect(json).toContain(`"details":[{"@type":"${typeUrl}","reason":"NO",`);
  });

  test('without details have an empty list', () => {
    expect(messaging.transcoder.encodeStatus({ code: 5, message: 'x' })).toBe('{"code":5,"message":"x","details":[]}');
  });

  test('show what cannot be read, and never fail', () => {
    const value = new Uint8Array([255, 1]);
    const json = messaging.transcoder.encodeStatus({
      code: 2,
      message: '',
      details: details(
        { typeUrl: 'example.com/unknown.Type', value },
        { typeUrl: 'type.googleapis.com/google.rpc.ErrorInfo', value },
      ),
    });
    expect(JSON.parse(json).details).toEqual([
      { '@type': 'example.com/unknown.Type', value: '/wE=' },
      { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', value: '/wE=' },
    ]);
    expect(messaging.transcoder.encodeStatus({ code: 2, message: '', details: value })).toContain('"details":[]');
  });
});

describe('a rule that cannot be served is refused at the start', () => {
  const request = `
    message Request {
      string name = 1;
      Request inner = 2;
      repeated string names = 3;
      map<string, string> map = 4;
      google.protobuf.Struct any = 5;
    }`;
  const refuse = async (rules: string[], extra = 'rpc') => {
    const rpcs = rules.map(
      (rule, at) => `rpc Call${at}(Request) returns (${extra === 'stream' ? 'stream ' : ''}Request) {
        option (google.api.http) = {${rule}};
      }`,
    );
    const text = protoFile(`service Bad { ${rpcs.join('\n')} } ${request}`);
    return startTranscoding(text, 'Bad').then(
      () => 'was not refused',
      (error: Error) => error.message,
    );
  };

  test.each([
    [['get: "/v1/{nam}"'], 'nam in the path is no field of test.v1.Request'],
    [['get: "/v1/{inner.nam}"'], 'inner.nam in the path is no field'],
    [['get: "/v1/{name.x}"'], 'name.x in the path is no field'],
    [['get: "/v1/{any.fields}"'], 'any.fields in the path is no field'],
    [['get: "/v1/{names}"'], 'names in the path is repeated'],
    [['get: "/v1/{map}"'], 'map in the path is repeated'],
    [['get: "/v1/{inner}"'], 'inner in the path is a message'],
    [['get: "/v1/{name}/{name}"'], 'name is bound twice'],
    [['get: "/v1/{name"'], 'is no variable'],
    [['post: "/v1" body: "nam"'], 'body nam is no field'],
    [['post: "/v1" body: "inner.name"'], 'body inner.name is no field'],
    [['post: "/v1/{name}" body: "name"'], 'name is in path and body'],
    [['get: "/v1" response_body: "nam"'], 'response_body nam is no field'],
    [['body: "*"'], 'there is no path'],
    [['custom: {kind: "A B" path: "/v1"}'], '"A B" is no HTTP method'],
    [
      ['get: "/v1" additional_bindings {get: "/v2" additional_bindings {get: "/v3"}}'],
      'additional_bindings must not be nested',
    ],
    [
      ['get: "/v1/{name}"', 'get: "/v1/{inner.name}"'],
      'GET /v1/{inner.name} of /test.v1.Bad/Call1 collides with /v1/{name}',
    ],
  ])('%s: %s', async (rules, fault) => {
    const message = await refuse(rules);
    expect(message).toContain(fault);
    expect(message).toMatch(/test\.v1\.Bad[./]Call/);
  });

  test('a stream', async () => {
    expect(await refuse(['get: "/v1"'], 'stream')).toBe('/test.v1.Bad/Call0 is a stream: it cannot have a rule');
  });

  test('a service that there is not', async () => {
    await expect(startTranscoding(protoFile(request), 'Bad')).rejects.toThrow('there is no service test.v1.Bad');
  });
});

test('a route of another transcoder is refused', async () => {
  const { transcoder } = await startTranscoding(proto, 'Messaging');
  expect(() => messaging.transcoder.decodeRequest(transcoder.routes[0]!, new Map(), '', undefined)).toThrow('no route');
});
