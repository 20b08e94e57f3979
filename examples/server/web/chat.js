// One conversation: streamed, stopped, gone on with.

import { client, steps } from './client.js';
import { onLanguage, word } from './words.js';

const $ = (id) => document.getElementById(id);
const [log, prompt, send, stop] = ['log', 'prompt', 'send', 'stop'].map($);

/** The conversation so far, as it goes to the model. */
let messages = [];
/** Stops the answer that is being written. */
let running;

const now = () => performance.now();

function turn(role, text) {
  $('empty').hidden = true;
  const element = document.createElement('div');
  element.className = `turn ${role}`;
  element.append(Object.assign(document.createElement('div'), { className: 'text', textContent: text }));
  log.append(element);
  log.scrollTop = log.scrollHeight;
  return element;
}

function note(element, text) {
  element.append(Object.assign(document.createElement('div'), { className: 'cost', textContent: text }));
}

function busy(is) {
  send.hidden = is;
  stop.hidden = !is;
  $('new-chat').disabled = is;
}

/** The pieces of an answer's text, then what it took. */
async function* pieces(signal) {
  const options = {
    signal,
    temperature: Number($('temperature').value),
    maxTokens: Number($('max-tokens').value) || 512,
    waitForQueue: true,
    ...($('system').value.trim() ? { systemPrompt: $('system').value.trim() } : {}),
  };
  const stream = (await client()).chatStream(messages, options);
  yield* stream.text();
  const { usage, finishReason } = await stream.final();
  return { tokens: usage?.outputTokens ?? 0, finishReason };
}

/** The same, with the server's tools: each call is shown above the text while it runs. */
async function* piecesWithTools(signal, element) {
  const body = {
    messages,
    temperature: Number($('temperature').value),
    max_tokens: Number($('max-tokens').value) || 512,
    ...($('system').value.trim() ? { system_prompt: $('system').value.trim() } : {}),
  };
  const calls = new Map();
  for await (const step of steps(body, signal)) {
    const id = `${step.turn}-${step.index}`;
    if (step.type === 'tool_call') {
      const call = Object.assign(document.createElement('div'), { className: 'call running', textContent: `${step.name}(${step.arguments})` });
      element.insertBefore(call, element.querySelector('.text'));
      calls.set(id, call);
    } else if (step.type === 'tool_result') {
      calls.get(id).classList.replace('running', step.is_error ? 'wrong' : 'ended');
      calls.get(id).append(` → ${step.text}`);
    } else if (step.type === 'delta') {
      yield step.text;
    } else if (step.type === 'done') {
      return { tokens: step.usage?.output_tokens ?? 0, finishReason: step.finish_reason };
    }
  }
}

async function answer() {
  const element = turn('assistant', '');
  const text = element.firstChild;
  element.classList.add('writing');
  running = new AbortController();
  busy(true);
  const began = now();
  let first;
  let written = '';
  try {
    const { signal } = running;
    const stream = $('use-tools').checked ? piecesWithTools(signal, element) : pieces(signal);
    let piece;
    while (!(piece = await stream.next()).done) {
      first ??= now();
      // Whoever has scrolled up is reading.
      const follow = log.scrollHeight - log.scrollTop - log.clientHeight < 60;
      written += piece.value;
      text.append(piece.value);
      if (follow) log.scrollTop = log.scrollHeight;
    }
    const { tokens, finishReason } = piece.value;
    const total = now() - began;
    const speed = total > 0 && tokens ? (tokens / total * 1000).toFixed(0) : '';
    note(element, word('cost', Math.round((first ?? now()) - began), tokens, speed, (total / 1000).toFixed(2))
      + (finishReason === 'length' ? ` · ${word('cut')}` : ''));
    $('said').textContent = word('answered');
    messages.push({ role: 'assistant', content: written });
  } catch (error) {
    if (running.signal.aborted) {
      note(element, word('stopped'));
      $('said').textContent = word('stopped');
      // What was read belongs to the conversation.
      if (written) messages.push({ role: 'assistant', content: written });
      else messages.pop();
    } else {
      fail(element, error);
    }
  } finally {
    element.classList.remove('writing');
    running = undefined;
    busy(false);
    keep();
    log.scrollTop = log.scrollHeight;
  }
}

function fail(element, error) {
  element.classList.add('failed');
  element.querySelector('.text').textContent = word('failed', error.message);
  element.dataset.error = error.code ?? error.name;
  const again = Object.assign(document.createElement('button'), { type: 'button', className: 'quiet', textContent: word('again') });
  again.addEventListener('click', () => {
    if (running) return;
    element.remove();
    void answer();
  });
  element.append(again);
}

function submit() {
  const text = prompt.value.trim();
  if (!text || running) return;
  // A question whose answer failed is asked anew, not twice.
  if (messages.at(-1)?.role === 'user') messages.pop();
  messages.push({ role: 'user', content: text });
  turn('user', text);
  prompt.value = '';
  grow();
  void answer();
}

function grow() {
  prompt.style.height = 'auto';
  prompt.style.height = `${Math.min(prompt.scrollHeight, innerHeight * 0.3)}px`;
}

/** The conversation lives as long as the tab. */
function keep() {
  try { sessionStorage.setItem('chatcore.messages', JSON.stringify(messages)); } catch { /* full, or not allowed */ }
}

function restore() {
  try {
    messages = JSON.parse(sessionStorage.getItem('chatcore.messages') ?? '[]');
  } catch { messages = []; }
  for (const { role, content } of messages) turn(role, content);
}

$('ask').addEventListener('submit', (event) => { event.preventDefault(); submit(); });
prompt.addEventListener('input', grow);
prompt.addEventListener('keydown', (event) => {
  // The Enter that ends the writing of a Chinese word sends nothing.
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  submit();
});
stop.addEventListener('click', () => { running?.abort(); prompt.focus(); });
addEventListener('keydown', (event) => { if (event.key === 'Escape') running?.abort(); });
$('new-chat').addEventListener('click', () => {
  messages = [];
  keep();
  for (const element of log.querySelectorAll('.turn')) element.remove();
  $('empty').hidden = false;
  prompt.focus();
});
onLanguage(() => {
  $('ideas').replaceChildren(...word('ideas').map((idea) => {
    const button = Object.assign(document.createElement('button'), { type: 'button', textContent: idea });
    button.addEventListener('click', () => { prompt.value = idea; submit(); prompt.focus(); });
    return button;
  }));
});
restore();
