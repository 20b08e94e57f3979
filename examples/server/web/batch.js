// Many prompts at once, each streamed into its line.

import { client, load } from './client.js';
import { onLanguage, word } from './words.js';

const $ = (id) => document.getElementById(id);
const [form, prompts, results] = ['batch', 'prompts', 'results'].map($);
let running;
let isOwn = false;

function row(prompt) {
  const element = document.createElement('li');
  const part = (className, textContent = '') => Object.assign(document.createElement('span'), { className, textContent });
  const parts = { state: part('state'), prompt: part('prompt', prompt), took: part('took'), answer: part('answer') };
  element.append(...Object.values(parts));
  results.append(element);
  return { element, ...parts };
}

async function run(list) {
  const [{ gatherWithLimit }, llm] = [await load(), await client()];
  running = new AbortController();
  const { signal } = running;
  const rows = list.map(row);
  const began = performance.now();
  let [done, failed, tokens] = [0, 0, 0];
  const show = () => {
    $('progress').max = list.length;
    $('progress').value = done;
    $('progress-words').textContent = word('progress_words', done, list.length, failed, tokens,
      ((performance.now() - began) / 1000).toFixed(1));
  };
  $('batch-progress').hidden = false;
  show();
  await gatherWithLimit(list.map((prompt, place) => async () => {
    const { element, answer, took } = rows[place];
    const start = performance.now();
    try {
      if (signal.aborted) throw signal.reason;
      element.className = 'running';
      const stream = llm.chatStream(prompt, { signal, maxTokens: 256, waitForQueue: true });
      for await (const text of stream.text()) answer.append(text);
      tokens += (await stream.final()).usage?.outputTokens ?? 0;
      element.className = 'done';
    } catch (error) {
      failed += 1;
      element.className = 'failed';
      element.dataset.error = error.code ?? error.name;
      answer.textContent = signal.aborted ? word('stopped') : error.message;
    }
    took.textContent = `${((performance.now() - start) / 1000).toFixed(2)} s`;
    done += 1;
    show();
  }), Number($('at-once').value));
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const list = prompts.value.split('\n').map((line) => line.trim()).filter(Boolean);
  if (running || list.length === 0) return;
  results.replaceChildren();
  $('run').hidden = true;
  $('stop-batch').hidden = false;
  try {
    await run(list);
  } catch { /* the package was not loaded; the next run tries again */ } finally {
    running = undefined;
    $('run').hidden = false;
    $('stop-batch').hidden = true;
  }
});
$('stop-batch').addEventListener('click', () => running?.abort());
$('at-once').addEventListener('input', () => { $('at-once-shown').value = $('at-once').value; });
prompts.addEventListener('input', () => { isOwn = true; });
prompts.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});
onLanguage(() => { if (!isOwn) prompts.value = word('prompts').join('\n'); });
