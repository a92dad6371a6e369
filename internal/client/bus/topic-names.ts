/** Returns the topic of publications about a chat. */
export function chatTopic(chatId: string): string {
  return `chat.${word(chatId)}`;
}

/** Returns the topic of publications about a user. */
export function userTopic(userId: string): string {
  return `user.${word(userId)}`;
}

/** Encodes an id, which may have any characters, as a word without special meaning to any broker. Different ids give different words. */
function word(id: string): string {
  return /^[\w-]+$/.test(id) ? id : `=${Buffer.from(id).toString('base64url')}`;
}
