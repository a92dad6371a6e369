/** A user as the access token names them. The name is empty for a user who was added by id and has never used the service. */
export interface User {
  id: string;
  name: string;
}
