import { BinaryReader } from '@bufbuild/protobuf/wire';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const decodeUtf8 = (bytes: Uint8Array) => utf8.decode(bytes);

/**
 * Reads the encoded requests of clients, on every transport. Throws if a string is not UTF-8. Reads a 64-bit number beyond 2^53 as the nearest number
 * that JavaScript represents exactly, because generated code would throw. The answer is the same: no number of a chat is near 2^53.
 */
export class RequestReader extends BinaryReader {
  constructor(bytes: Uint8Array) {
    super(bytes, decodeUtf8);
  }

  override int64(): bigint | string {
    return nearestSafe(super.int64());
  }

  override uint64(): bigint | string {
    return nearestSafe(super.uint64());
  }
}

const maxSafe = BigInt(Number.MAX_SAFE_INTEGER);

function nearestSafe(value: bigint | string): bigint {
  const exact = BigInt(value);
  if (exact > maxSafe) return maxSafe;
  return exact < -maxSafe ? -maxSafe : exact;
}
