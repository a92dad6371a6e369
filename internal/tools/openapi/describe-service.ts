import type { DescMethod } from '@bufbuild/protobuf';
import { generateOpenApi, type OpenApiDocument } from '../../../pkg/openapi/generate-open-api.ts';
import { httpStatusOf } from '../../converter/status.ts';
import { findPermission } from '../../service/authorization.ts';
import { addEventsOperation } from './events-operation.ts';

const description = `Chats with durable, ordered messages, over REST. The service also offers this contract over gRPC, and its live
stream over gRPC and over WebSocket at \`GET /v1/connect\`.

Sign in with one of the \`/v1/auth\` routes and send the \`accessToken\` of the answer in the header \`authorization: Bearer …\`. Every answer
has the header \`x-request-id\`.

Field names are in camelCase; requests may also use the snake_case names of the contract. 64-bit integers are strings in answers and may be
strings or numbers in requests. The service refuses unknown fields. In answers, objects that are not set are null.

Errors have the HTTP status of their gRPC code. Their body is a \`google.rpc.Status\`: the \`reason\` in its \`ErrorInfo\` is stable,
\`BadRequest\` lists the invalid fields, and \`RetryInfo\`, like the header \`Retry-After\`, says when to try again.`;

/** The service's OpenAPI document, from an encoded FileDescriptorSet with source info. */
export function describeService(
  descriptors: Uint8Array,
  { version, license }: { version: string; license: string },
): OpenApiDocument {
  const document = generateOpenApi(descriptors, {
    info: { title: 'Chat service', version, description, license: { name: license, identifier: license } },
    services: ['chat.v1.ChatService', 'auth.v1.AuthService'],
    isOpen,
    commonErrors,
    httpStatusOf,
    errorDetails: ['google.rpc.ErrorInfo', 'google.rpc.BadRequest', 'google.rpc.RetryInfo'],
  });
  addEventsOperation(document);
  return document;
}

function isOpen({ name }: DescMethod): boolean {
  return findPermission(name)?.token === 'anyone';
}

function commonErrors(method: DescMethod): string[] {
  const permission = findPermission(method.name);
  const errors: string[] = [];
  if (method.input.fields.length > 0) {
    errors.push('INVALID_ARGUMENT (INVALID_FIELDS): the violations list the invalid fields.');
  }
  if (!isOpen(method)) {
    errors.push(
      'UNAUTHENTICATED (TOKEN_MISSING, TOKEN_INVALID, TOKEN_EXPIRED, SESSION_REVOKED): the call has no valid access token.',
      'PERMISSION_DENIED (BANNED): the caller is banned from the service.',
    );
  }
  if (permission?.token !== 'anyone' && !permission?.token.includes('user')) {
    errors.push('PERMISSION_DENIED (METHOD_NOT_ALLOWED): no role in the access token allows this call.');
  }
  return errors;
}
