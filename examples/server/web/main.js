// The page's beginning: its parts, and what concerns all of it.

import { otherLanguage } from './words.js';
import './figures.js';
import './chat.js';
import './batch.js';
import { load } from './client.js';

const $ = (id) => document.getElementById(id);
const root = document.documentElement;

const stored = (name) => { try { return localStorage.getItem(name); } catch { return null; } };
const store = (name, value) => { try { localStorage.setItem(name, value); } catch { /* it is forgotten then */ } };

const theme = stored('chatcore.theme');
if (theme) root.dataset.theme = theme;
$('theme').addEventListener('click', () => {
  const isDark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  root.dataset.theme = isDark ? 'light' : 'dark';
  store('chatcore.theme', root.dataset.theme);
});
$('language').addEventListener('click', otherLanguage);

const panes = [...document.querySelectorAll('[data-show]')];
const show = (name) => {
  document.body.dataset.pane = name;
  for (const pane of panes) pane.setAttribute('aria-pressed', String(pane.dataset.show === name));
};
for (const pane of panes) pane.addEventListener('click', () => show(pane.dataset.show));
show('chat');

// So that the first question does not wait for it.
load().then((chatcore) => chatcore.preload?.()).catch(() => {});
document.body.dataset.ready = 'yes';
