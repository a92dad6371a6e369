// A widely used library, for comparison: emits each message to all sockets in a room. Prints its port.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';

const http = createServer();
const io = new Server(http, { transports: ['websocket'], serveClient: false });
const chatId = randomUUID();
let seq = 0;

io.on('connection', (socket) => {
  void socket.join('room');
  socket.on('send', (texts: string[]) => {
    for (const text of texts) {
      seq += 1;
      const sender = { id: 'guest:fan-out', name: 'fan-out' };
      const createdAt = new Date().toISOString();
      const message = { id: randomUUID(), chatId, seq, updateSeq: seq, sender, clientMessageId: randomUUID(), text };
      io.to('room').emit('message', { ...message, createdAt });
    }
  });
});

http.listen(0, '127.0.0.1', () => console.error(`HTTP  http://127.0.0.1:${(http.address() as AddressInfo).port}`));
process.on('SIGTERM', () => process.exit(0));
