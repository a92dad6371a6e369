import { BinaryReader } from '@bufbuild/protobuf/wire';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const decodeUtf8 = (bytes: Uint8Array) => utf8.decode(bytes);

/**
 * Reads the requests of clients, on every transport. Strings must be UTF-8. A 64-bit number that JavaScript does not know exactly is read as
 * the nearest that it does: no number of a chat comes near 2^53, so the answer is the same, and generated code would throw.
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
