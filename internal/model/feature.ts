/**
 * What a node of an older version does not know: it would drop it on the way to its readers, or from the ingest log. Each is used only where
 * `FEATURES_ENABLED` names it, so that it can wait until the last old node is gone. A feature leaves the list one version after it came.
 */
export const features = ['message_data', 'message_kinds', 'reactions', 'streamed_messages', 'mentions'] as const;

export type Feature = (typeof features)[number];
