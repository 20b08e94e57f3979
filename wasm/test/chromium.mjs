// Headless Chromium for tests. CHROMIUM names another program than /usr/bin/chromium.
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** Why tests in Chromium are skipped, or false. */
export const skip = existsSync(executablePath) ? false : 'no Chromium here';

/** Starts Chromium. */
export const launch = () => chromium.launch({
  executablePath,
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
