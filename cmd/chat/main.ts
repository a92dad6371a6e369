#!/usr/bin/env node
import { runChat } from './run-chat.ts';

process.exitCode = await runChat(process.argv.slice(2), process);
