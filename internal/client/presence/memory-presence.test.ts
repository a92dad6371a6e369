import { describe } from 'vitest';
import { MemoryPresence } from './memory-presence.ts';
import { testPresence } from './presence-conformance.ts';

describe('presence in memory', () => {
  testPresence(async () => {
    const presence = new MemoryPresence();
    return [presence, presence];
  });
});
