/** Defaults of the auth-server that differ from the service's, so that both can run on one machine without settings. */
export const authServerDefaults = { GRPC_PORT: '50052', HTTP_PORT: '8081', DATA_DIR: '.data/auth' };

/** The same of the message-writer. */
export const messageWriterDefaults = { GRPC_PORT: '50053', INGEST: 'jetstream' };
