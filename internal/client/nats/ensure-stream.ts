import { JetStreamApiError, type JetStreamManager, type StreamConfig } from '@nats-io/jetstream';

const nameInUse = 10_058;

/** Creates a stream, or changes the settings of the one that has this name. Throws the server's error if it refuses. */
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
