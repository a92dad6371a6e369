import { ConnectChatRequest, ConnectChatResponse } from '../../../pkg/api/chat/v1/chat.ts';
import { RawClient } from './raw-client.ts';
import { commands } from './stream-probe.ts';

/** A client without the SDK, so that the test decides when it reads. */
export class RawReader {
  readonly call: ReturnType<RawClient['connect']>;
  readonly seqs: number[] = [];
  caughtUp = false;

  constructor(address: string, token: string) {
    this.call = new RawClient(address).connect(token);
    this.call.on('data', (frame: Buffer) => {
      for (const { event } of ConnectChatResponse.decode(frame).events) {
        if (event?.$case === 'message') this.seqs.push(event.value.seq);
        this.caughtUp ||= event?.$case === 'caughtUp';
      }
    });
  }

  subscribe(chatId: string): void {
    const command = { commandId: '', command: commands.subscribe(chatId, 0) };
    this.call.write(ConnectChatRequest.encode({ commands: [command] }).finish());
  }
}
