#!/usr/bin/env node
import { runGateway } from '../../internal/app/run-gateway.ts';

process.exitCode = await runGateway(process.env, process.argv.slice(2));
