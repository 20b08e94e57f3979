// Headless Chromium for tests. CHROMIUM names another program than /usr/bin/chromium.
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** Why tests in Chromium are skipped, or false. */
export const skip = existsSync(executablePath) ? false : 'no Chromium here';

const options = {
  executablePath,
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync'],
};

/** Starts Chromium. Its pages are in private windows, in which it opens no connection in advance. */
export const launch = () => chromium.launch(options);

/** Starts Chromium with a profile in this folder. */
export const launchWith = (folder) => chromium.launchPersistentContext(folder, options);
