import type { Client } from '@grpc/grpc-js';

/** Calls that a client may have open. Each service must allow as many streams on a connection (`MAX_STREAMS_PER_CONNECTION`). */
export const maxCallsPerClient = 200;

/** A client's place for one call. */
export interface ClientPlace {
  client: Client;
  /** Gives the place to another call. Call once, when the call has ended. */
  release(): void;
}

/**
 * gRPC clients of the same services. A service allows a limited number of streams on a connection, and grpc-js lets further calls wait for ever
 * behind streams that stay open; so each client has connections of its own and a limited number of open calls. Clients are added as calls need
 * them, and stay: grpc-js closes a connection that is not used.
 */
export class ClientPool {
  readonly #create: () => Client;
  readonly #members: { client: Client; calls: number }[] = [];

  /** `create` must return a client that shares no connection with another (`grpc.use_local_subchannel_pool`). */
  constructor(create: () => Client) {
    this.#create = create;
    this.#add();
  }

  /** The client that is used first. */
  get first(): Client {
    return this.#members[0]!.client;
  }

  acquire(): ClientPlace {
    const member = this.#members.find(({ calls }) => calls < maxCallsPerClient) ?? this.#add();
    member.calls += 1;
    return {
      client: member.client,
      release: () => {
        member.calls -= 1;
      },
    };
  }

  close(): void {
    for (const { client } of this.#members) client.close();
  }

  #add() {
    const member = { client: this.#create(), calls: 0 };
    this.#members.push(member);
    return member;
  }
}
