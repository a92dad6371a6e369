#!/usr/bin/env node
import { runBackup } from './run-backup.ts';

process.exitCode = await runBackup(process.env, process.argv.slice(2));
