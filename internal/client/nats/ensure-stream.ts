import { JetStreamApiError, type JetStreamManager, type StreamConfig } from '@nats-io/jetstream';

const nameInUse = 10_058;

/** Makes a stream, or gives the one of that name these settings. Throws what the server answers if it refuses. */
export async function ensureStream(
  manager: JetStreamManager,
  config: Partial<StreamConfig> & { name: string },
): Promise<void> {
  try {
    await manager.streams.add(config);
  } catch (error) {
    if (!(error instanceof JetStreamApiError) || error.code !== nameInUse) throw error;
    await manager.streams.update(config.name, config);
  }
}
