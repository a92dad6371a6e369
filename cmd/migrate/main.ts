#!/usr/bin/env node
import { runMigrate } from './run-migrate.ts';

process.exitCode = await runMigrate(process.env, process.argv.slice(2));
