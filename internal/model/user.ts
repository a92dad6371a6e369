/** A user as the access token names them. The name is empty for a user who has been named by id but never seen. */
export interface User {
  id: string;
  name: string;
}
