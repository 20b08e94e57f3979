// The npm package `chatcore`, towards this server. The server has the key; the page has none.

const $ = (id) => document.getElementById(id);

let loading;
let made;
/** The access token, for as long as the page is open. */
let token;

/** The package, or `plain.js` where it is not built: loaded once, at the first call or by `load()`. */
export async function load() {
  loading ??= import('/chatcore/index.js');
  try {
    return await loading;
  } catch (error) {
    loading = undefined;
    throw error;
  }
}

/** A client for the chosen model. */
export async function client() {
  const { LlmClient } = await load();
  const model = $('model').value;
  if (made?.model !== model || made.token !== token) {
    made = {
      model, token,
      client: new LlmClient({
        baseURL: '/v1', model, workers: 16, queueSize: 1000,
        // The token is the reader's own, typed in by them; it is no provider's key.
        ...(token ? { apiKey: token, dangerouslyAllowBrowser: true } : {}),
      }),
    };
  }
  return made.client;
}

/** `fetch` with the access token. */
export async function ask(path) {
  const answer = await fetch(path, { headers: token ? { authorization: `Bearer ${token}` } : {} });
  $('token-form').hidden = answer.status !== 401;
  if (!answer.ok) throw new Error((await answer.json().catch(() => undefined))?.error?.message ?? `${answer.status}`);
  return answer.json();
}

/** The messages of `/api/chat/tools`, as they come. */
export async function* steps(body, signal) {
  const answer = await fetch('/api/chat/tools', {
    method: 'POST', signal, body: JSON.stringify({ ...body, model: $('model').value || undefined }),
    headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
  });
  $('token-form').hidden = answer.status !== 401;
  if (!answer.ok) throw failure((await answer.json().catch(() => undefined))?.error, answer.status);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) throw failure({ code: 'truncated', message: 'the answer ended early' });
    const events = (text + value).split('\n\n');
    text = events.pop();
    for (const event of events) {
      const step = JSON.parse(event.slice('data: '.length));
      if (step.type === 'error') throw failure(step.error);
      yield step;
      if (step.type === 'done') return;
    }
  }
}

const failure = (error, status) => Object.assign(new Error(error?.message ?? `${status}`), { code: error?.code });

$('token-form').addEventListener('submit', (event) => {
  event.preventDefault();
  token = $('token').value.trim() || undefined;
  $('token-form').hidden = true;
  $('prompt').focus();
});
