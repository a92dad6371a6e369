import { WebSocket } from 'ws';
import { type FanOutWire, text, until } from './fan-out-wire.ts';
import { type MeasuredProcess, startProcess } from './service-process.ts';

/** A socket.io server, as a child process. */
export async function startSocketIo(): Promise<MeasuredProcess & { url: string }> {
  const started = await startProcess(new URL('socket-io-server.ts', import.meta.url), {}, /HTTP\s+(\S+:\d+)/);
  return { ...started, url: started.announced[1]! };
}

/**
 * Clients of socket.io that use as little CPU as those of the service: they speak its protocol over plain WebSockets.
 * Source: https://socket.io/docs/v4/socket-io-protocol
 */
export function socketIoWire(server: { url: string }): FanOutWire {
  const sockets: WebSocket[] = [];
  return {
    async open(readers, onMessages) {
      let joined = 0;
      for (let i = 0; i < readers; i += 1) {
        const onMessage = () => onMessages(1);
        sockets.push(connect(`${server.url}/socket.io/`, () => joined++, onMessage));
        if (i % 50 === 49) await until(() => joined >= i - 50);
      }
      await until(() => joined === readers);
    },
    send: (count) => sockets[0]?.send(`42${JSON.stringify(['send', Array.from({ length: count }, () => text)])}`),
    close() {
      for (const socket of sockets) socket.terminate();
    },
  };
}

function connect(url: string, onJoined: () => void, onMessage: () => void): WebSocket {
  const socket = new WebSocket(`${url.replace('http', 'ws')}?EIO=4&transport=websocket`, {
    perMessageDeflate: false,
  });
  socket.on('message', (packet: Buffer) => {
    // Packet types of Engine.IO: 0 open, 2 ping, 4 message. Of Socket.IO, within a message: 0 connect, 2 event.
    if (packet[0] === 0x30) socket.send('40');
    else if (packet[0] === 0x32) socket.send('3');
    else if (packet[1] === 0x30) onJoined();
    else if (packet[1] === 0x32) onMessage();
  });
  return socket;
}
