import { type ReceivedEvent, testEventSink } from '../../client/sinks/event-sink-conformance.ts';
import { MemoryEventSink } from './memory-event-sink.ts';

testEventSink(async () => {
  const sink = new MemoryEventSink();
  return {
    sink,
    received: async (chatId) =>
      sink.of(chatId).map((event): ReceivedEvent => {
        const { kind } = event;
        return kind === 'message' ? { kind, number: event.message.updateSeq, text: event.message.text } : { kind };
      }),
    breakOff: async () => {
      sink.isAway = true;
    },
    restore: async () => {
      sink.isAway = false;
    },
  };
});
