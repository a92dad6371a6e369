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
  /** Clients, besides the auditor. */
  clients: number;
  /** It ends after so many operations, or so many milliseconds, whichever comes first. */
  operations?: number;
  durationMs: number;
  /** Pause of a client after each operation, in milliseconds, on average. */
  paceMs: number;
  /** Something is broken on purpose meanwhile. */
  faultsExpected: boolean;
  bounds: { deliveryMs: number; revocationMs: number };
  /** How long readers have to come to the end when all is sent, in milliseconds. */
  settleMs: number;
  /** Who signs in, by number; default: guests. */
  tokens?: (index: number) => TokenSource;
  /** Called when all have signed in and there are chats: from here on anything may break. */
  onPrepared?: () => void;
  signal?: AbortSignal;
}

/** Has random clients use a service, and reads everything at the end. Throws ChatClientError if they cannot even sign in. */
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
    options.onPrepared?.();
    for (const { keeper, sdk } of participants) (keeper ?? sdk)!.start();
    const lag = watchLag(journal);
    await act(participants, options);
    clearInterval(lag);
    await audit(auditor, participants, options.settleMs, signal);
  } finally {
    for (const actor of actors) actor.close();
  }
}

function toParticipant(actor: Actor): Participant {
  return actor.isSdk ? { actor, sdk: new SdkReader(actor) } : { actor, keeper: new LiveKeeper(actor) };
}

/** A few chats to begin with. */
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

async function act(participants: readonly Participant[], options: WorkloadOptions): Promise<void> {
  const { durationMs, paceMs, signal } = options;
  const endAt = performance.now() + durationMs;
  let left = options.operations ?? Number.POSITIVE_INFINITY;
  const isOver = () => left <= 0 || performance.now() >= endAt || signal?.aborted === true;
  await Promise.all(
    participants.map(async (participant) => {
      const { random } = participant.actor;
      while (!isOver()) {
        const work = random.weighted(operations).prepare(participant);
        if (!work) {
          await sleep(1);
          continue;
        }
        left -= 1;
        await work();
        await sleep(paceMs * 2 * random.next());
      }
    }),
  );
}

/** When this program itself does not get to run, nothing that seems late may be held against the service. */
function watchLag(journal: Journal): NodeJS.Timeout {
  const everyMs = 100;
  let last = journal.now();
  return setInterval(() => {
    const now = journal.now();
    if (now - last > everyMs + 400)
      journal.add({ kind: 'fault', at: now, begin: last, what: 'the clients did not get to run' });
    last = now;
  }, everyMs);
}
