import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { ReceivedSpan } from './received-span.ts';

interface Tag {
  key: string;
  vType: string;
  vStr: string;
  vDouble: number;
  vBool: boolean;
  vLong: Buffer;
}

interface ThriftSpan {
  traceIdLow: Buffer;
  traceIdHigh: Buffer;
  spanId: Buffer;
  parentSpanId: Buffer;
  operationName: string;
  tags: Tag[];
}

interface Batch {
  process: { serviceName: string };
  spans: ThriftSpan[];
}

// Jaeger's library brings the Thrift definitions of the agent, and what reads them.
const library = createRequire(import.meta.url).resolve('jaeger-client');
const { Thrift } = createRequire(library)('thriftrw');
const { Agent } = new Thrift({
  entryPoint: join(dirname(library), 'thriftrw-idl', 'agent.thrift'),
  allowOptionalArguments: true,
  allowFilesystemAccess: true,
});

/** Decodes a packet as an agent receives it by UDP, in Thrift's binary protocol. */
export function decodeJaeger(packet: Buffer): ReceivedSpan[] {
  const { err, value } = Agent.emitBatch.argumentsMessageRW.readFrom(packet, 0);
  if (err) throw err;
  const { process, spans }: Batch = value.body.batch;
  return spans.map((span) => {
    const tags = Object.fromEntries(span.tags.map((tag) => [tag.key, toValue(tag)]));
    const parentSpanId = span.parentSpanId.toString('hex');
    return {
      traceId: span.traceIdHigh.toString('hex') + span.traceIdLow.toString('hex'),
      spanId: span.spanId.toString('hex'),
      parentSpanId: /^0+$/.test(parentSpanId) ? '' : parentSpanId,
      name: span.operationName,
      kind: String(tags['span.kind'] ?? 'internal'),
      service: process.serviceName,
      tags,
    };
  });
}

function toValue({ vType, vStr, vDouble, vBool, vLong }: Tag): unknown {
  switch (vType) {
    case 'BOOL':
      return vBool;
    case 'DOUBLE':
      return vDouble;
    case 'LONG':
      return Number(vLong.readBigInt64BE());
    default:
      return vStr;
  }
}
