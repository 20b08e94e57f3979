// Browsers other than Chromium, as Debian has them: Firefox, and WebKitGTK's own small browser, which has Safari's engine. They
// need no driver: each opens a page, and the page sends what it saw to the server.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// No first-run pages and no requests to the outside.
const PREFERENCES = `user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("toolkit.telemetry.reportingpolicy.firstRun", false);
user_pref("browser.aboutwelcome.enabled", false);
user_pref("app.normandy.enabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("extensions.getAddons.cache.enabled", false);
user_pref("services.settings.server", "http://127.0.0.1:9");
`;

/** The browsers, by name: the program, and the words of its command line for a page and a folder of its own. */
export const BROWSERS = {
  Firefox: {
    program: process.env.FIREFOX ?? '/usr/bin/firefox-esr',
    words: (url, folder) => {
      writeFileSync(join(folder, 'user.js'), PREFERENCES);
      return ['--headless', '--no-remote', '--profile', folder, url];
    },
  },
  WebKit: {
    program: process.env.MINIBROWSER ?? `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/webkit2gtk-4.1/MiniBrowser`,
    // It has no mode without a screen.
    words: (url) => ['--private', url],
    screen: '/usr/bin/xvfb-run',
  },
};

/** Why tests in this browser are skipped, or false. */
export const unless = ({ program, screen = program }) => (existsSync(program) && existsSync(screen) ? false : `no ${program} here`);

/** Opens a page, and returns a function that ends the browser. */
export function open({ program, words, screen }, url) {
  const folder = mkdtempSync(join(tmpdir(), 'chatcore-browser-'));
  const all = [program, ...words(url, folder)];
  if (screen) all.unshift(screen, '-a');
  // A process group, because a browser has many processes.
  const child = spawn(all[0], all.slice(1), {
    detached: true, stdio: 'ignore',
    env: { ...process.env, HOME: folder, XDG_CACHE_HOME: folder, WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1', LIBGL_ALWAYS_SOFTWARE: '1', NO_AT_BRIDGE: '1' },
  });
  return async () => {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    process.kill(-child.pid, 'SIGKILL');
    await ended;
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
}
