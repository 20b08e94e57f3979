import { LlmClient } from 'chatcore';

// The page holds no key: its own server adds it and passes /api/v1 on to the provider. `?base=`
// is for trying it out.
const base = new URLSearchParams(location.search).get('base') ?? '/api/v1';
const client = new LlmClient({ baseURL: base, model: 'default' });
const answer = document.querySelector('#answer');

document.querySelector('form').addEventListener('submit', async (event) => {
  event.preventDefault();
  answer.textContent = '';
  delete answer.dataset.done;
  try {
    for await (const text of client.chatStream(event.target.prompt.value).text()) answer.append(text);
    answer.dataset.done = 'yes';
  } catch (error) {
    answer.textContent += `\n${error.name}: ${error.message}`;
    answer.dataset.done = 'error';
  }
});
