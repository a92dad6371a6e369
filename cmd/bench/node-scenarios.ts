import { measureBareInserts, measureWrites } from './durable-writes.ts';
import { measureEdits } from './edits.ts';
import { measureFanOut } from './fan-out.ts';
import { type FanOutWire, grpcWire, webSocketWire } from './fan-out-wire.ts';
import type { Figure, Scenario } from './figure.ts';
import { measureRequests } from './gateway.ts';
import { measureIdleMemory } from './idle-memory.ts';
import { measureBareCommits, measureLatency } from './latency.ts';
import { type ServiceProcess, startService } from './service-process.ts';
import { socketIoWire, startSocketIo } from './socket-io.ts';
import { measureStreamed } from './streamed.ts';
import { measureTracing } from './tracing.ts';

/** Scenarios with one node. */
export const nodeScenarios: Record<string, Scenario> = {
  writes: async ({ newDatabase, seconds }) => {
    const load = { streams: 64, window: 64, warmUpMs: 1_500, durationMs: seconds * 1_000 };
    const batched = await measureWrites(await newDatabase(), load);
    const single = await measureWrites(await newDatabase(), load, {
      WRITER_MAX_BATCH: '1',
      WRITER_MAX_IN_FLIGHT: '8',
      POSTGRES_POOL_SIZE: '16',
    });
    const bare = await measureBareInserts(await newDatabase(), 8, load.durationMs);
    const what = 'durable acknowledged messages, 64 streams';
    const oneByOne = { what: 'the service with one statement a message', value: single.perSecond };
    return [
      { what, value: batched.perSecond, unit: '/s', baseline: oneByOne },
      { what, value: batched.perSecond, unit: '/s', baseline: { what: 'bare inserts on 8 connections', value: bare } },
      {
        what: "service's processor time for a message",
        value: batched.serviceMicros,
        unit: 'µs',
        baseline: { what: oneByOne.what, value: single.serviceMicros },
      },
    ];
  },
  latency: async ({ newDatabase, seconds }) => {
    const commit = await measureBareCommits(await newDatabase(), seconds * 1_000);
    const receipt = await measureLatency(await newDatabase(), seconds * 1_000);
    const what = 'send to receipt, 500 messages/s, 10 readers each';
    return [
      {
        what: `${what}: p50`,
        value: receipt.p50Ms,
        unit: 'ms',
        baseline: { what: 'a bare commit', value: commit.p50Ms },
      },
      {
        what: `${what}: p99`,
        value: receipt.p99Ms,
        unit: 'ms',
        baseline: { what: 'a bare commit', value: commit.p99Ms },
      },
    ];
  },
  'fan-out': async ({ newDatabase, seconds }) => {
    const load = { readers: 400, durationMs: seconds * 500 };
    const measure = async (wireTo: (service: ServiceProcess) => FanOutWire, burst: number, window: number) => {
      const service = await startService(await newDatabase());
      return measureFanOut(service, wireTo(service), { ...load, burst, window });
    };
    const figures: Figure[] = [];
    for (const [burst, window, how] of [
      [1, 2, 'one message at a time'],
      [1, 8, 'one message at a time, eight under way'],
      [16, 1, 'in bursts of 16'],
    ] as const) {
      const server = await startSocketIo();
      const socketIo = await measureFanOut(server, socketIoWire(server), { ...load, burst, window });
      for (const [name, wire] of Object.entries(wires)) {
        const { deliveriesPerSecond, serviceMicros, messagesPerFrame } = await measure(wire, burst, window);
        const what = `${name}, a chat of 400 readers, ${how}`;
        figures.push(
          {
            what: `${what}: deliveries`,
            value: deliveriesPerSecond,
            unit: '/s',
            baseline: { what: 'socket.io', value: socketIo.deliveriesPerSecond },
          },
          {
            what: `${what}: server's processor time for a delivery`,
            value: serviceMicros,
            unit: 'µs',
            baseline: { what: 'socket.io', value: socketIo.serviceMicros },
          },
          { what: `${what}: messages in a frame`, value: messagesPerFrame, unit: '' },
        );
      }
    }
    return figures;
  },
  gateway: async ({ newDatabase, seconds }) => {
    const load = { concurrency: 32, warmUpMs: 1_500, durationMs: seconds * 500 };
    const { getChat, sendMessage } = await measureRequests(await newDatabase(), load);
    const compare = (name: string, { rest, grpc }: (typeof results)[number][1]): Figure[] => {
      const what = `${name} through the gateway, 32 at a time`;
      const direct = (value: number) => ({ what: 'the same by gRPC', value });
      return [
        { what: `${what}: requests`, value: rest.perSecond, unit: '/s', baseline: direct(grpc.perSecond) },
        { what: `${what}: p99`, value: rest.p99Ms, unit: 'ms', baseline: direct(grpc.p99Ms) },
        {
          what: `${what}: service's processor time`,
          value: rest.serviceMicros,
          unit: 'µs',
          baseline: direct(grpc.serviceMicros),
        },
      ];
    };
    const results = [
      ['GetChat', getChat],
      ['SendMessage', sendMessage],
    ] as const;
    return results.flatMap(([name, result]) => compare(name, result));
  },
  edits: async ({ newDatabase, folder, seconds }) =>
    measureEdits(await newDatabase(), folder, { warmUpMs: seconds * 200 + 300, durationMs: seconds * 1_000 }),
  streamed: ({ newDatabase, folder, seconds }) => measureStreamed(newDatabase, folder, seconds),
  tracing: ({ newDatabase, seconds }) => measureTracing(newDatabase, seconds < 2 ? 4 : 20),
  memory: async ({ newDatabase, seconds }) => {
    const connections = seconds < 2 ? 500 : 2_000;
    const server = await startSocketIo();
    const socketIo = await measureIdleMemory(server, () => socketIoWire(server), connections);
    const figures: Figure[] = [];
    for (const [name, wire] of Object.entries({
      ...wires,
      'gRPC with a connection for each stream': (service: ServiceProcess) => grpcWire(service, 1),
    })) {
      const service = await startService(await newDatabase());
      figures.push({
        what: `memory for an idle reader by ${name}, of ${connections}`,
        value: (await measureIdleMemory(service, () => wire(service), connections)) / 1_024,
        unit: 'KiB',
        baseline: { what: 'socket.io', value: socketIo / 1_024 },
      });
    }
    return figures;
  },
};

const wires: Record<string, (service: ServiceProcess) => FanOutWire> = {
  gRPC: (service) => grpcWire(service),
  'WebSocket (protobuf)': (service) => webSocketWire(service, 'proto'),
  'WebSocket (JSON)': (service) => webSocketWire(service, 'json'),
};
