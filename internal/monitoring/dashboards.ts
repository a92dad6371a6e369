import * as abuse from './panels/abuse.ts';
import * as arrival from './panels/arrival.ts';
import * as database from './panels/database.ts';
import * as delivery from './panels/delivery.ts';
import * as health from './panels/health.ts';
import type { Dashboard, Panel } from './panels/panel.ts';
import * as node from './panels/process.ts';
import * as writing from './panels/writing.ts';

/** Every dashboard. Panels may be on several; what shows them, such as Grafana, reads them from here. */
export const dashboards: readonly Dashboard[] = [
  {
    uid: 'chat-overview',
    title: 'Chat: overview',
    description: 'Is the service well, and how much does it do?',
    rows: [
      {
        title: 'Is it well?',
        panels: [health.readyProcesses, health.databaseReached, health.busReached, health.alertsFiring],
      },
      {
        title: 'What users notice',
        panels: [health.failedCalls, writing.acknowledgement, delivery.deliverySeconds, arrival.callSeconds],
      },
      {
        title: 'How much it does',
        panels: [writing.saved, delivery.deliveries, arrival.streams, arrival.calls, node.cpu, node.memory],
      },
    ],
  },
  {
    uid: 'chat-path',
    title: 'Chat: the way of a message',
    description: 'Where does a message lose time, from its arrival to its readers?',
    rows: [
      { title: '1. Arrival', panels: [arrival.arrivingMessages, arrival.receivedFrames, node.eventLoop] },
      {
        title: '2. Acknowledgement',
        panels: [writing.acknowledgement, writing.commitSeconds, writing.saved, writing.batchSize],
      },
      { title: '2a. With JetStream', panels: [writing.ingestWaiting, writing.ingestLag] },
      { title: '3. Bus', panels: [delivery.publications, delivery.busFaults] },
      {
        title: '4. Delivery',
        panels: [delivery.deliverySeconds, delivery.deliverySecondsByNode, delivery.readers, delivery.outbox],
      },
    ],
  },
  {
    uid: 'chat-delivery',
    title: 'Chat: delivery',
    description: 'Do readers get everything in time? Which node, bus or export is late?',
    rows: [
      {
        title: 'Readers',
        panels: [
          ...[delivery.deliverySecondsByNode, delivery.deliveries, delivery.readers, delivery.outbox],
          ...[delivery.sentFrames, delivery.topics, arrival.waitingArrivals],
        ],
      },
      {
        title: 'Bus',
        panels: [delivery.busStates, delivery.publications, delivery.busFaults, delivery.resets],
      },
      { title: 'Export', panels: [delivery.exportLag, delivery.exportedEvents, delivery.exportFailures] },
    ],
  },
  {
    uid: 'chat-database',
    title: 'Chat: database',
    description: 'Is PostgreSQL away, slow or full? Do writes or connections wait?',
    rows: [
      { title: 'PostgreSQL', panels: [database.databaseStates, database.probeSeconds] },
      { title: 'Commits', panels: [writing.commitSeconds, writing.saved, writing.batchSize, database.givenUpCommits] },
      { title: 'Connections', panels: [database.poolConnections, database.poolWaits] },
      { title: 'Calls', panels: [health.failedCalls, arrival.callSeconds] },
      {
        title: 'JetStream',
        panels: [writing.ingestWaiting, writing.ingestLag, writing.ingestPartitions, writing.ingestRefused],
      },
    ],
  },
  {
    uid: 'chat-node',
    title: 'Chat: one node',
    description: 'Is one process full, leaking or stuck, and what is it busy with?',
    ofOneNode: true,
    rows: [
      { title: 'Process', panels: [health.readyProcesses, node.started] },
      {
        title: 'Node.js',
        panels: [node.cpu, node.eventLoop, node.heap, node.garbageCollection, node.openFiles, node.handles],
      },
      {
        title: 'Work',
        panels: [
          ...[arrival.connections, arrival.streams, delivery.readers, delivery.outbox],
          ...[arrival.slowMethods, arrival.httpSeconds, database.poolConnections, database.poolWaits],
        ],
      },
    ],
  },
  {
    uid: 'chat-abuse',
    title: 'Chat: abuse',
    description: 'Does somebody overload the service, guess passwords or send nonsense?',
    rows: [
      { title: 'Refusals', panels: [abuse.refusalsByReason, abuse.limited, abuse.badCredentials, abuse.nonsense] },
      {
        title: 'Traffic',
        panels: [
          ...[abuse.signIns, abuse.beginningStreams, arrival.connections],
          ...[arrival.httpRequests, abuse.unknownRoutes, arrival.calls],
        ],
      },
    ],
  },
];

/** The panels of a dashboard, in the order of its rows. */
export function panelsOf({ rows }: Dashboard): readonly Panel[] {
  return rows.flatMap(({ panels }) => panels);
}
