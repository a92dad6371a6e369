#!/usr/bin/env node
import { runAccount } from './run-account.ts';

process.exitCode = await runAccount(process.env, process.argv.slice(2), process.stdin);
