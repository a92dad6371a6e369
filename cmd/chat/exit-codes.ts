/** The program's exit codes; 0 is success. */
export const exitCodes = {
  /** The service refused, or something was not sent. */
  refused: 1,
  usage: 2,
  unreachable: 3,
  notSignedIn: 4,
  interrupted: 130,
} as const;
