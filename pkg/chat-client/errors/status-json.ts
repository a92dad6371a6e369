import type { Any } from '../../api/google/protobuf/any.ts';
import { BadRequest, ErrorInfo, RetryInfo } from '../../api/google/rpc/error_details.ts';
import type { Status } from '../../api/google/rpc/status.ts';

/** A google.rpc.Status from its canonical JSON, with the details that errors have; others come without their value. */
export function statusFromJson(json: unknown): Status {
  const { code, message, details } = (json ?? {}) as { code?: unknown; message?: unknown; details?: unknown };
  return {
    code: Number(code ?? 0),
    message: String(message ?? ''),
    details: (Array.isArray(details) ? details : []).map(toAny),
  };
}

/** `Any` in JSON is its message's own JSON with `@type` beside it, which generated code does not know. */
function toAny(json: { '@type'?: string; retryDelay?: string }): Any {
  const typeUrl = String(json['@type'] ?? '');
  return { typeUrl, value: encode(typeUrl.slice(typeUrl.lastIndexOf('/') + 1), json) as Any['value'] };
}

function encode(type: string, json: { retryDelay?: string }): Uint8Array {
  switch (type) {
    case 'google.rpc.ErrorInfo':
      return ErrorInfo.encode(ErrorInfo.fromJSON(json)).finish();
    case 'google.rpc.BadRequest':
      return BadRequest.encode(BadRequest.fromJSON(json)).finish();
    case 'google.rpc.RetryInfo': {
      const delay = Number.parseFloat(json.retryDelay ?? '0');
      const seconds = Math.trunc(delay);
      return RetryInfo.encode({ retryDelay: { seconds, nanos: Math.round((delay - seconds) * 1e9) } }).finish();
    }
    default:
      return new Uint8Array();
  }
}
