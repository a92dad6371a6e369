/** The program's exit codes; 0 is success. */
export const exitCodes = {
  /** The service refused, is not ready, or something could not be written. */
  refused: 1,
  usage: 2,
  unreachable: 3,
  /** The token is missing or wrong. */
  notAuthorized: 4,
  interrupted: 130,
} as const;
