/** The last millisecond of a `google.protobuf.Timestamp`. */
const latestMs = 253_402_300_799_999;

/** Whether the time is in the future, and one that the contract can hold. */
export function isLater(time: Date): boolean {
  const ms = time.getTime();
  // Comparisons with NaN, a time that no Date can hold, are false.
  return ms > Date.now() && ms <= latestMs;
}
