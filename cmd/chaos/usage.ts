export const usage = `usage: chaos [options]

Starts several nodes of the service with PostgreSQL and, if --bus or --ingest need them, NATS and Redis. Random clients use the nodes over every
transport while chaos kills, pauses and restarts processes, cuts and slows connections, fills the disk, and replaces the database by a standby or
a backup that lacks the last commits, as the seed determines. Then it checks that nothing else was lost, and nothing doubled or reordered.

  --seed N        determines the faults and what the clients choose (default: random)
  --minutes N     how long the run lasts (default 1); --seconds N for less
  --bus KIND      the bus between nodes: memory, postgres, nats, redis (default nats)
  --ingest KIND   the way of messages to the database: direct, jetstream (default direct)
  --nodes N       number of nodes (default 3)
  --clients N     number of clients (default 12)
  --every MS      average time between two faults (default 1500)
  --history FILE  writes a record of everything that happened, as lines of JSON
  --logs DIR      writes the nodes' logs to this folder
  --json          prints the verdict as JSON
  --help

Exit code: 0 no violation, 1 at least one, 2 the run failed, or too little could be read at the end to prove
anything.
`;
