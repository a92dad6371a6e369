import { type Browser, chromium } from 'playwright-core';

/** Launches Chromium. It is killed if this process exits before it. */
export function launchBrowser(): Promise<Browser> {
  const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
  // By default Playwright exits at Ctrl-C, before the servers have ended.
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'], handleSIGINT: false });
}
