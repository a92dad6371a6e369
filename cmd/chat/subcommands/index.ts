import { connectChat } from './connect-chat.ts';
import { createChat } from './create-chat.ts';
import { deleteChat } from './delete-chat.ts';
import { history } from './history.ts';
import { listChats } from './list-chats.ts';
import { login } from './login.ts';
import { logout } from './logout.ts';
import { register } from './register.ts';
import { sendMessage } from './send-message.ts';
import type { Subcommand } from './subcommand.ts';
import { whoami } from './whoami.ts';

/** In the order of the usage text. */
export const subcommands: readonly Subcommand[] = [
  register,
  login,
  logout,
  whoami,
  listChats,
  createChat,
  connectChat,
  sendMessage,
  history,
  deleteChat,
];

export function findSubcommand(name: string | undefined): Subcommand | undefined {
  return subcommands.find((subcommand) => subcommand.name === name);
}
