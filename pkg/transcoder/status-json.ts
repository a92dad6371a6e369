import { type DescMessage, fromBinary, type Registry, toJson } from '@bufbuild/protobuf';
import { type Any, AnySchema } from '@bufbuild/protobuf/wkt';

/**
 * Returns the JSON of a google.rpc.Status, as grpc-gateway writes it. `details` is an encoded Status, of which only the details are read.
 *
 * Never throws: a detail of a type that `registry` does not have, or that cannot be decoded, is shown as
 * `{"@type": …, "value": <base64>}`, and `details` that are not a Status are omitted.
 */
export function statusJson(
  { code, message, details }: { code: number; message: string; details?: Uint8Array },
  registry: Registry,
): string {
  return JSON.stringify({ code, message, details: details ? detailsJson(details, registry) : [] });
}

function detailsJson(bytes: Uint8Array, registry: Registry): unknown[] {
  const desc = registry.getMessage('google.rpc.Status');
  const details = desc ? anysOf(desc, bytes) : [];
  return details.map((detail) => {
    try {
      const json = toJson(AnySchema, detail, { registry, alwaysEmitImplicit: true });
      // `@type` comes first, where readers expect it.
      return { '@type': detail.typeUrl, ...(json as object) };
    } catch {
      return { '@type': detail.typeUrl, value: Buffer.from(detail.value).toString('base64') };
    }
  });
}

function anysOf(status: DescMessage, bytes: Uint8Array): Any[] {
  try {
    return (fromBinary(status, bytes) as unknown as { details: Any[] }).details;
  } catch {
    return [];
  }
}
