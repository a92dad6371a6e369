import type { Any } from '../../api/google/protobuf/any.ts';
import { BadRequest, ErrorInfo, RetryInfo } from '../../api/google/rpc/error_details.ts';
import type { Status } from '../../api/google/rpc/status.ts';

/** Reads a google.rpc.Status from its canonical JSON. Details other than ErrorInfo, BadRequest and RetryInfo lose their value. */
export function statusFromJson(json: unknown): Status {
  const { code, message, details } = (json ?? {}) as { code?: unknown; message?: unknown; details?: unknown };
  return {
    code: Number(code ?? 0),
    message: String(message ?? ''),
    details: (Array.isArray(details) ? details : []).map(toAny),
  };
}

/** In JSON, `Any` is the JSON of its message plus `@type`; the generated code cannot read that form. */
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
