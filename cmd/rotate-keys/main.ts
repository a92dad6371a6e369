#!/usr/bin/env node
import { runRotateKeys } from '../../internal/app/run-rotate-keys.ts';

process.exitCode = await runRotateKeys(process.env, process.argv.slice(2));
