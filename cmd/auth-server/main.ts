#!/usr/bin/env node
import { runAuthServer } from './run-auth-server.ts';

process.exitCode = await runAuthServer(process.env, process.argv.slice(2));
