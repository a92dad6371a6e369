/** How long a server waits for its connections to close once calls and streams have ended, in milliseconds; then it cuts them off. */
export const closingGraceMs = 1_000;
