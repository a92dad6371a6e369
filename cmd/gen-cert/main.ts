#!/usr/bin/env node
import { runGenCert } from './run-gen-cert.ts';

process.exitCode = await runGenCert(process.argv.slice(2));
