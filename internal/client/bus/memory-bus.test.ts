import { describe } from 'vitest';
import { testBus } from './bus-conformance.ts';
import { MemoryBus } from './memory-bus.ts';

describe('the bus in memory', () => {
  const bus = new MemoryBus();
  testBus(async () => bus);
});
