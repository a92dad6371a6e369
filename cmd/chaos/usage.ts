export const usage = `usage: chaos [options]

Starts several nodes of the service with PostgreSQL and, where --bus or --ingest ask for them, NATS and Redis, has random clients use them over
every transport, and meanwhile kills, pauses, restarts, cuts off, slows down and fills whatever there is, as the seed says. Then it checks that
nothing was lost, doubled or reordered.

  --seed N        which faults strike, and what the clients choose (default: by chance)
  --minutes N     how long (default 1); --seconds N for less
  --bus KIND      what carries news between nodes: memory, postgres, nats, redis (default nats)
  --ingest KIND   how messages come into the database: direct, jetstream (default direct)
  --nodes N       default 3
  --clients N     default 12
  --every MS      time between two faults, on average (default 1500)
  --history FILE  writes everything that happened, as lines of JSON
  --logs DIR      keeps the nodes' logs there
  --json          prints the verdict as JSON
  --help

Exit code: 0 nothing was violated, 1 something was, 2 it could not be run, or too little could be read at
the end to say so.
`;
