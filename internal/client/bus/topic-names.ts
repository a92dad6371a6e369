/** The topic of what is said of a chat. */
export function chatTopic(chatId: string): string {
  return `chat.${word(chatId)}`;
}

/** The topic of what is said of a user. */
export function userTopic(userId: string): string {
  return `user.${word(userId)}`;
}

/** Ids may hold any characters; what is made of one means nothing to any broker, and different ids make different words. */
function word(id: string): string {
  return /^[\w-]+$/.test(id) ? id : `=${Buffer.from(id).toString('base64url')}`;
}
