// What the server does at this moment, asked for once a second.

import { ask } from './client.js';
import { onLanguage, word } from './words.js';

const $ = (id) => document.getElementById(id);
/** How many seconds the chart shows, and over how many a speed is measured. */
const [SHOWN, SPAN] = [60, 4];
const samples = [];
let last;
let first;

const clock = (seconds) => {
  const [h, m, s] = [seconds / 3600, seconds / 60 % 60, seconds % 60].map(Math.floor);
  return h ? `${h}:${String(m).padStart(2, '0')} h` : m ? `${m}:${String(s).padStart(2, '0')} min` : `${s} s`;
};

async function sample() {
  try {
    const status = await ask('/status');
    take(status);
    $('alive').className = 'dot up';
    last = status;
    models(status.models);
  } catch {
    last = undefined;
    $('alive').className = 'dot down';
  }
  show();
}

function take(status) {
  const at = performance.now() / 1000;
  const output = status.tokens.output;
  const before = samples.findLast((one) => at - one.at >= SPAN - 0.1) ?? samples[0];
  // Tokens are told when an answer ends, so that their speed is a mean of some seconds.
  const speed = before && output >= before.output ? (output - before.output) / (at - before.at) : 0;
  const content = status.first_content;
  const since = last?.first_content;
  if (since && content.count > since.count) {
    first = (content.sum_seconds - since.sum_seconds) / (content.count - since.count);
  } else if (first === undefined && content.count) {
    first = content.sum_seconds / content.count;
  }
  samples.push({ at, output, speed, active: status.pool.active });
  if (samples.length > SHOWN + SPAN) samples.shift();
}

function models(names) {
  const select = $('model');
  if (select.options.length === names.length) return;
  select.replaceChildren(...names.map((name) => new Option(name, name)));
  select.hidden = names.length < 2;
}

function show() {
  if (!last) {
    $('who').textContent = word('unreachable');
    return;
  }
  const { pool } = last;
  $('who').textContent = last.demo ? word('demo') : `${last.models[0]} · ${last.provider}`;
  $('uptime').textContent = word('up', clock(last.uptime_seconds));
  $('active').textContent = pool.active;
  $('workers').textContent = word('of', pool.max_workers);
  $('queued').textContent = pool.queued;
  $('queue-size').textContent = word('of', pool.queue_size);
  $('first').textContent = first === undefined ? '–' : Math.round(first * 1000);
  $('speed').textContent = Math.round(samples.at(-1)?.speed ?? 0);
  const tokens = (last.tokens.input + last.tokens.output).toLocaleString();
  $('totals').textContent = word('totals', pool.started, pool.succeeded, pool.failed, pool.cancelled, tokens);
  draw();
}

/** A line from the right edge, where now is, to the left. */
function draw() {
  const [width, height] = [320, 84];
  const shown = samples.slice(-SHOWN);
  const x = (place) => width - (shown.length - 1 - place) * width / (SHOWN - 1);
  const path = (name, least) => {
    const most = Math.max(least, ...shown.map((one) => one[name]));
    return shown.map((one, place) => `${place ? 'L' : 'M'}${x(place).toFixed(1)} ${(height - 1 - one[name] / most * (height - 8)).toFixed(1)}`).join('');
  };
  const speed = path('speed', 10);
  const element = (name, attributes) => {
    const made = document.createElementNS('http://www.w3.org/2000/svg', name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  };
  const rule = (y) => element('line', { class: 'base', x1: 0, x2: width, y1: y, y2: y });
  $('chart').replaceChildren(
    rule(height - 1), rule(height / 2), rule(4),
    element('path', { class: 'area', d: `${speed}L${width} ${height - 1}L${x(0)} ${height - 1}Z` }),
    element('path', { class: 'line speed', d: speed }),
    element('path', { class: 'line active', d: path('active', last.pool.max_workers) }),
  );
}

onLanguage(show);
await sample();
setInterval(() => { if (!document.hidden) void sample(); }, 1000);
document.addEventListener('visibilitychange', () => { if (!document.hidden) void sample(); });
