// The page in headless Chromium: types, streams, stops, goes on, runs a batch, sees an error.
// Skipped where there is no Chromium; CHROMIUM names another one than /usr/bin/chromium.
// Its screenshots are left in target/screenshots.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { provider, require, root, start, until, upstream } from './server.mjs';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const skip = existsSync(executablePath) ? false : 'no Chromium here';
const npm = process.env.CHATCORE_NPM ?? `${root}wasm/dist`;
const shots = `${root}target/screenshots`;

let browser, server, loopback;
before(async () => {
  if (skip) return;
  mkdirSync(shots, { recursive: true });
  const { chromium } = require('playwright-core');
  [server, loopback, browser] = await Promise.all([start({ CHATCORE_NPM: npm }), upstream(), chromium.launch({
    executablePath,
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  })]);
});
after(async () => {
  if (skip) return;
  await browser?.close();
  loopback?.stop();
  assert.equal(await server?.stop(), 0);
});

const WIDE = { viewport: { width: 1280, height: 820 }, locale: 'en-US' };
const PHONE = { viewport: { width: 390, height: 780 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2, locale: 'zh-CN' };

/** Opens the page of a server, does `act`, and demands that nothing went wrong unseen. */
async function open(base, options, act) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const errors = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => { if (/Content.Security.Policy/i.test(message.text())) errors.push(message.text()); });
  await page.goto(base);
  await page.waitForSelector('body[data-ready]');
  await act(page);
  assert.deepEqual(errors, []);
  await context.close();
}

const ask = async (page, prompt) => { await page.fill('#prompt', prompt); await page.press('#prompt', 'Enter'); };
const last = (page) => page.locator('.turn.assistant').last();
const answered = async (page) => { await last(page).locator('.cost').waitFor(); return last(page).locator('.text').textContent(); };

test('a conversation: streamed, kept, begun anew', { skip }, async () => {
  await open(server.base, WIDE, async (page) => {
    await ask(page, 'My name is Ada and I like tea.');
    await answered(page);
    await ask(page, 'What is my name?');
    await until(() => page.locator('.turn.assistant').count(), (count) => count === 2);
    assert.match(await answered(page), /Ada/);
    assert.match(await last(page).locator('.cost').textContent(), /first content \d+ ms · \d+ tokens/);
    await page.reload();
    await page.waitForSelector('body[data-ready]');
    assert.equal(await page.locator('.turn').count(), 4);
    await page.click('#new-chat');
    assert.equal(await page.locator('.turn').count(), 0);
    await ask(page, 'What is my name?');
    assert.doesNotMatch(await answered(page), /Ada/);
  });
});

test('tool calls are shown as they run', { skip }, async () => {
  await open(server.base, WIDE, async (page) => {
    await page.click('.options summary');
    await page.check('#use-tools');
    await ask(page, 'convert_temperature: 72 degrees to celsius');
    assert.equal(await answered(page), 'The tool returned: 22.2 °C');
    const call = last(page).locator('.call.ended');
    assert.equal(await call.textContent(), 'convert_temperature({"degrees":72.0,"to":"celsius"}) → 22.2 °C');
    // A call that runs, and is stopped.
    await ask(page, 'wait 5 seconds');
    await last(page).locator('.call.running').waitFor();
    assert.equal(await last(page).locator('.call').textContent(), 'wait({"seconds":5.0})');
    await page.screenshot({ path: `${shots}/tools.png` });
    await page.click('#stop');
    await last(page).locator('.cost').waitFor();
    // Without tools again, the conversation goes on.
    await page.uncheck('#use-tools');
    await ask(page, 'What is 17 * 23?');
    assert.match(await answered(page), /391/);
  });
});

test('an answer grows as it is written, and stops when told', { skip }, async () => {
  const held = await start({ ...provider(`${loopback.base}/key/page/words/50/gate/page/v1`), CHATCORE_NPM: npm });
  await open(held.base, WIDE, async (page) => {
    for (const stop of [() => page.click('#stop'), () => page.keyboard.press('Escape')]) {
      await ask(page, 'hi');
      await loopback.release('page', 3);
      const text = () => last(page).locator('.text').textContent();
      const some = await until(text, (text) => text.length > 0);
      await loopback.release('page', 5);
      await until(text, (text) => text.length > some.length);
      await stop();
      await last(page).locator('.cost').waitFor();
      assert.match(await last(page).locator('.cost').textContent(), /Stopped/);
      assert.equal(await loopback.waitClosed('page'), 'client');
    }
    await until(held.status, ({ pool }) => pool.active === 0 && pool.cancelled === 2);
    assert.ok(await page.locator('#send').isVisible());
  });
  await held.stop();
});

test('a batch with its progress, and the live figures', { skip }, async () => {
  await open(server.base, WIDE, async (page) => {
    const prompts = Array.from({ length: 12 }, (_, n) => `${n} + 1`);
    await page.fill('#prompts', prompts.join('\n'));
    await page.fill('#at-once', '4');
    await page.click('#run');
    await page.waitForSelector('#results li.running');
    await until(() => page.locator('#results li.done').count(), (count) => count === 12);
    assert.equal(await page.locator('#results li').nth(11).locator('.answer').textContent(), '11 + 1 = 12.');
    assert.equal(await page.evaluate(() => document.querySelector('#progress').value), 12);
    assert.match(await page.textContent('#progress-words'), /12 of 12 · \d+ tokens/);
    const number = async (id) => Number(await page.textContent(id));
    await until(() => number('#speed'), (speed) => speed > 0);
    assert.ok(await number('#first') > 0);
    assert.equal(await page.textContent('#workers'), 'of 5');
    assert.ok(await page.locator('#chart path.speed').getAttribute('d'));
  });
});

test('what fails is said, and can be tried again', { skip }, async () => {
  const flaky = await start({ ...provider(`${loopback.base}/key/once/flaky/1/status/400/v1`), CHATCORE_NPM: npm });
  await open(flaky.base, WIDE, async (page) => {
    await ask(page, 'hi');
    await page.waitForSelector('.turn.failed');
    assert.equal(await last(page).getAttribute('data-error'), 'bad_request');
    assert.match(await last(page).locator('.text').textContent(), /failed/);
    await last(page).locator('button').click();
    assert.equal(await answered(page), 'echo: hi');
  });
  await flaky.stop();
});

test('a page without the npm package chats, runs a batch, stops and says what failed', { skip }, async () => {
  const bare = await start({ CHATCORE_NPM: 'no-such-folder' });
  await open(bare.base, WIDE, async (page) => {
    await ask(page, 'My name is Ada and I like tea.');
    await answered(page);
    await ask(page, 'What is my name?');
    await until(() => page.locator('.turn.assistant').count(), (count) => count === 2);
    assert.match(await answered(page), /Ada/);
    assert.match(await last(page).locator('.cost').textContent(), /first content \d+ ms · [1-9]\d* tokens/);
    await page.fill('#prompts', '1 + 1\n2 + 2\n3 + 3');
    await page.fill('#at-once', '2');
    await page.click('#run');
    await until(() => page.locator('#results li.done').count(), (count) => count === 3);
    assert.equal(await page.locator('#results li').nth(2).locator('.answer').textContent(), '3 + 3 = 6.');
  });
  await bare.stop();
  const held = await start({ ...provider(`${loopback.base}/key/plain/words/50/gate/plain/v1`), CHATCORE_NPM: 'no-such-folder' });
  await open(held.base, WIDE, async (page) => {
    await ask(page, 'hi');
    await loopback.release('plain', 3);
    await until(() => last(page).locator('.text').textContent(), (text) => text.length > 0);
    await page.click('#stop');
    await last(page).locator('.cost').waitFor();
    assert.equal(await loopback.waitClosed('plain'), 'client');
  });
  await held.stop();
  const flaky = await start({ ...provider(`${loopback.base}/key/plainonce/flaky/1/status/400/v1`), CHATCORE_NPM: 'no-such-folder' });
  await open(flaky.base, WIDE, async (page) => {
    await ask(page, 'hi');
    await page.waitForSelector('.turn.failed');
    assert.equal(await last(page).getAttribute('data-error'), 'bad_request');
    await last(page).locator('button').click();
    assert.equal(await answered(page), 'echo: hi');
  });
  await flaky.stop();
});

test('a server with a token asks for it', { skip }, async () => {
  const guarded = await start({ CHATCORE_TOKEN: 'sesame', CHATCORE_NPM: npm });
  await open(guarded.base, WIDE, async (page) => {
    await page.waitForSelector('#token-form:not([hidden])');
    await page.fill('#token', 'sesame');
    await page.press('#token', 'Enter');
    await page.waitForSelector('#alive.up');
    await ask(page, '1+1');
    assert.equal(await answered(page), '1+1 = 2.');
  });
  await guarded.stop();
});

test('by keyboard alone', { skip }, async () => {
  await open(server.base, WIDE, async (page) => {
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.className), 'skip');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    const seen = new Set();
    for (let n = 0; n < 25; n += 1) {
      seen.add(await page.evaluate(() => document.activeElement.id));
      await page.keyboard.press('Tab');
    }
    for (const id of ['send', 'prompts', 'at-once', 'run', 'language', 'theme']) assert.ok(seen.has(id), `${id} is not reached`);
    await page.focus('#prompt');
    await page.keyboard.type('1+1');
    await page.keyboard.press('Shift+Enter');
    assert.equal(await page.inputValue('#prompt'), '1+1\n');
    await page.keyboard.press('Enter');
    assert.equal(await answered(page), '1+1 = 2.');
  });
});

test('in Chinese, on a phone, light and dark', { skip }, async () => {
  await open(server.base, { ...PHONE, colorScheme: 'dark' }, async (page) => {
    assert.equal(await page.getAttribute('html', 'lang'), 'zh-CN');
    await ask(page, '你好！');
    assert.match(await answered(page), /演示模型/);
    const box = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.ok(box[0] <= box[1], `it scrolls sideways: ${box}`);
    assert.equal(await page.locator('#run').isVisible(), false);
    await page.screenshot({ path: `${shots}/phone-chat.png` });
    await page.click('[data-show=batch]');
    await page.click('#run');
    await until(() => page.locator('#results li.done').count(), (count) => count === 8);
    await page.screenshot({ path: `${shots}/phone-batch.png` });
    await page.click('[data-show=live]');
    await page.screenshot({ path: `${shots}/phone-live.png` });
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const dark = await ground();
    await page.click('#theme');
    assert.notEqual(await ground(), dark);
    await page.click('#language');
    assert.equal(await page.textContent('#send'), 'Send');
  });
  for (const colorScheme of ['light', 'dark']) {
    await open(server.base, { ...WIDE, colorScheme, locale: colorScheme === 'dark' ? 'zh-CN' : 'en-US' }, async (page) => {
      await page.screenshot({ path: `${shots}/empty-${colorScheme}.png` });
      await ask(page, colorScheme === 'dark' ? '你好！' : 'My name is Ada and I like tea.');
      await answered(page);
      await page.click('#run');
      await until(() => page.locator('#results li.done').count(), (count) => count === 8);
      await page.waitForTimeout(1200);
      await ask(page, 'Count from 1 to 60.');
      await page.waitForSelector('.turn.writing .text:has-text("20")');
      await page.screenshot({ path: `${shots}/${colorScheme}.png` });
      await until(() => page.locator('.turn.assistant .cost').count(), (count) => count === 2);
    });
  }
});
