/** Returns the lifetime of a JWT (`exp` minus `iat`) in milliseconds; undefined for any other token. Does not verify the token. */
export function jwtLifeMs(token: string): number | undefined {
  try {
    const payload = token.split('.')[1]!.replaceAll('-', '+').replaceAll('_', '/');
    const { iat, exp } = JSON.parse(atob(payload)) as { iat?: unknown; exp?: unknown };
    return typeof iat === 'number' && typeof exp === 'number' && exp > iat ? (exp - iat) * 1_000 : undefined;
  } catch {
    return undefined;
  }
}
