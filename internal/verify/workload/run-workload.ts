import { setTimeout as sleep } from 'node:timers/promises';
import { guest, type TokenSource } from '../../../pkg/chat-client/auth/token-source.ts';
import { Actor } from '../clients/actor.ts';
import { LiveKeeper } from '../clients/live-keeper.ts';
import type { Participant } from '../clients/participant.ts';
import { Random } from '../clients/random.ts';
import { SdkReader } from '../clients/sdk-reader.ts';
import { World } from '../clients/world.ts';
import type { Journal } from '../history/journal.ts';
import { createGroup, joinRoom } from '../operations/chats.ts';
import { operations } from '../operations/index.ts';
import { type Deployment, transportNames } from '../transports/deployment.ts';
import { audit } from './audit.ts';

export interface WorkloadOptions {
  seed: number;
  /** The number of clients, besides the auditor. */
  clients: number;
  /** The run ends after this many operations or after `durationMs`, whichever is first. */
  operations?: number;
  durationMs: number;
  /** The average pause of a client after each operation, in milliseconds. */
  paceMs: number;
  /** Whether connections may break without being a violation, because faults are injected meanwhile. */
  faultsExpected: boolean;
  bounds: { deliveryMs: number; revocationMs: number };
  /** How long readers may take to reach the end after the last send, in milliseconds. */
  settleMs: number;
  /** How client number `index` signs in; default: as a guest. */
  tokens?: (index: number) => TokenSource;
  /** Called when all clients have signed in and the first chats exist: from here on anything may break. The world is what the clients know. */
  onPrepared?: (world: World) => void;
  /** Called when the clients have stopped, before their chats are read to the end; their streams are still open. */
  onActed?: () => Promise<void>;
  signal?: AbortSignal;
  /** Ends the operations early; unlike `signal` it leaves the audit its whole time. */
  enough?: AbortSignal;
}

/** Lets random clients use a service, then reads all chats. Throws ChatClientError if a client cannot sign in. */
export async function runWorkload(deployment: Deployment, journal: Journal, options: WorkloadOptions): Promise<void> {
  const { seed, faultsExpected, bounds, signal } = options;
  journal.add({ kind: 'run', at: journal.now(), seed, faultsExpected, bounds });
  const random = new Random(seed);
  const world = new World(`v${crypto.randomUUID().slice(0, 8)}`, journal);
  const possible = transportNames.filter((transportName) =>
    transportName === 'grpc' || transportName === 'sdk-grpc' ? deployment.grpc.length > 0 : deployment.http.length > 0,
  );
  const signInFor = options.tokens ?? ((index: number) => guest(`${world.tag}-${index}`));
  const actors = Array.from({ length: options.clients + 1 }, (_, i) => {
    const name = i === 0 ? 'auditor' : `client-${i}`;
    const transportName = i === 0 ? possible[0]! : possible[(i - 1) % possible.length]!;
    const own = { name, transportName, tokens: signInFor(i), random: random.fork(i) };
    return new Actor({ ...own, deployment, journal, world, faultsExpected });
  });
  const [auditor, ...others] = actors as [Actor, ...Actor[]];
  try {
    for (const actor of actors) await actor.signIn();
    world.auditor = auditor.user;
    const participants = others.map(toParticipant);
    await prepare({ actor: auditor }, participants);
    options.onPrepared?.(world);
    for (const { keeper, sdk } of participants) (keeper ?? sdk)!.start();
    const lag = watchLag(journal);
    await act(participants, options).finally(() => clearInterval(lag));
    await options.onActed?.();
    await audit(auditor, participants, options.settleMs, signal);
  } finally {
    for (const actor of actors) actor.close();
  }
}

function toParticipant(actor: Actor): Participant {
  return actor.isSdk ? { actor, sdk: new SdkReader(actor) } : { actor, keeper: new LiveKeeper(actor) };
}

/** Creates the first chats. */
async function prepare(auditor: Participant, participants: readonly Participant[]): Promise<void> {
  const { world } = auditor.actor;
  for (let room = 0; room < 3; room += 1) await joinRoom(auditor, `${world.tag}-room-${room}`);
  for (const participant of participants) await joinRoom(participant, `${world.tag}-room-0`);
  for (const participant of participants.slice(0, 3)) {
    await createGroup(
      participant,
      world.users.filter(() => participant.actor.random.chance(0.6)),
    );
  }
}

/** Throws an Error that names the clients that have had no answer for `settleMs` after the others have stopped, and what they wait for. */
async function act(participants: readonly Participant[], options: WorkloadOptions): Promise<void> {
  const { durationMs, paceMs, settleMs, signal, enough } = options;
  const endAt = performance.now() + durationMs;
  let left = options.operations ?? Number.POSITIVE_INFINITY;
  const isOver = () => left <= 0 || performance.now() >= endAt || signal?.aborted === true || enough?.aborted === true;
  /** By client, what it does. */
  const busy = new Map<string, { what: string; since: number }>();
  const all = participants.map(async (participant) => {
    const { name, random } = participant.actor;
    while (!isOver()) {
      const operation = random.weighted(operations);
      const work = operation.prepare(participant);
      if (!work) {
        await sleep(1);
        continue;
      }
      left -= 1;
      busy.set(name, { what: operation.name, since: performance.now() });
      await work();
      busy.delete(name);
      await sleep(paceMs * 2 * random.next());
    }
  });
  const stopped = new AbortController();
  const patience = (async () => {
    while (!isOver()) await sleep(100, undefined, { signal: stopped.signal });
    await sleep(settleMs, undefined, { signal: stopped.signal });
    const waiting = [...busy].map(([name, { what, since }]) => {
      const { actor, sdk } = participants.find((one) => one.actor.name === name)!;
      const state = sdk ? `, ${sdk.client.state.kind}, ${sdk.client.pendingSends} commands unanswered` : '';
      return `${name} (${actor.transportName}${state}) waits for '${what}' since ${Math.round((performance.now() - since) / 1_000)} s`;
    });
    throw new Error(`clients have no answer: ${waiting.join('; ')}`);
  })();
  try {
    await Promise.race([Promise.all(all), patience]);
  } finally {
    stopped.abort();
  }
}

/** Records a fault for each time in which this process itself did not run: delays then are not the service's. */
function watchLag(journal: Journal): NodeJS.Timeout {
  const everyMs = 100;
  let last = journal.now();
  return setInterval(() => {
    const now = journal.now();
    if (now - last > everyMs + 400)
      journal.add({ kind: 'fault', at: now, begin: last, what: "the clients' process did not run" });
    last = now;
  }, everyMs);
}
