#!/usr/bin/env node
import { runRestore } from './run-restore.ts';

process.exitCode = await runRestore(process.env, process.argv.slice(2));
