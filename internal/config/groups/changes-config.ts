import type { EnvReader } from '../reading/env-reader.ts';

/** Edits and deletions of messages, and reactions to them. */
export interface ChangesConfig {
  /** How long senders may edit their messages, in milliseconds; 0: without limit. */
  editWindowMs: number;
  /** How long senders may delete their messages, in milliseconds; 0: without limit. */
  deleteWindowMs: number;
  /** Whether the texts that were edited away are kept, for moderators. */
  keepVersions: boolean;
  /** Whether reactions may be short codes of the deployment's own. */
  allowShortCodes: boolean;
}

const maxWindowSeconds = 10 * 365 * 86_400;

export function readChanges(read: EnvReader): ChangesConfig {
  return {
    editWindowMs: read.integer('EDIT_WINDOW_SECONDS', 0, { min: 0, max: maxWindowSeconds }) * 1_000,
    deleteWindowMs: read.integer('DELETE_WINDOW_SECONDS', 0, { min: 0, max: maxWindowSeconds }) * 1_000,
    keepVersions: read.boolean('EDIT_HISTORY', false),
    allowShortCodes: read.boolean('CUSTOM_REACTIONS', false),
  };
}
