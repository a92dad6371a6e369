export const usage = `usage: soak [options]

Runs three nodes of the service under load for a long time, with faults, and looks for what grows: memory, open files, connections, queues. First it
measures how many messages per second the nodes take, then sends half as many, while random clients use every operation and the checker of
\`make verify\` watches them. Faults strike as the seed determines; two of the three nodes are never ended, so that their memory can be compared.

  --minutes N     how long the run lasts (default 10)
  --seed N        determines the faults and what the random clients choose (default: random)
  --load SHARE    the share of the measured rate that is sent (default 0.5)
  --bus KIND      the bus between nodes: postgres, nats, redis (default nats)
  --ingest KIND   the way of messages to the database: direct, jetstream (default direct)
  --clients N     clients that send, beside the random ones (default 8)
  --every MS      average time between two faults (default 10000)
  --report DIR    where the report with plots is written (default soak-report)
  --logs DIR      writes the nodes' logs to this folder
  --json          prints the result as JSON
  --help

Exit code: 0 nothing grows and no promise was broken, 1 otherwise, 2 the run failed, or was too short to say.
`;
