import { existsSync } from 'node:fs';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { onTestFinished } from 'vitest';

/** The path of Chromium: CHROMIUM_PATH, else where Debian installs it. */
const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';

/** The browser that all test files of a worker share. Playwright ends it with the worker. */
let started: Promise<Browser> | undefined;

export interface TestPage {
  page: Page;
  /** The faults of the page so far: errors and warnings on the console, uncaught exceptions, failed requests. */
  faults: string[];
  /** The address of every request so far. */
  requests: string[];
}

/** Opens a page in a browser session of its own, which is closed when the test ends. */
export async function openPage(options: BrowserContextOptions = {}): Promise<TestPage> {
  started ??= start();
  const context = await (await started).newContext(options);
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const faults: string[] = [];
  const requests: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') faults.push(message.text());
  });
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('requestfailed', (request) => faults.push(`${request.url()}: ${request.failure()?.errorText}`));
  page.on('request', (request) => requests.push(request.url()));
  return { page, faults, requests };
}

async function start(): Promise<Browser> {
  if (!existsSync(executablePath)) {
    throw new Error(
      `there is no Chromium at ${executablePath}: apt-get install chromium, or say where with CHROMIUM_PATH`,
    );
  }
  return chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  });
}
