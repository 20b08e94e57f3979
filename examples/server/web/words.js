// The page's words, in English and Chinese.

const WORDS = {
  en: {
    skip: 'To the question', language: '中文', theme: 'Light or dark', model: 'Model', panes: 'Parts of the page',
    chat: 'Chat', batch: 'Many at once', live: 'Live', new_chat: 'New chat', conversation: 'Conversation',
    hello: 'What would you like to know?',
    hello_more: 'Answers come as they are written, and the conversation is kept.',
    ideas: ['Why is the sky blue?', 'What is 17 * 23?', 'Count from 1 to 50.', '你好！'],
    ask_hint: 'Ask something', ask_label: 'Your question. Enter sends, Shift and Enter begin a line.',
    send: 'Send', stop: 'Stop', options: 'Options', system_prompt: 'System prompt',
    system_hint: 'Answer in one sentence.', temperature: 'Temperature', max_tokens: 'Tokens at most',
    use_tools: 'The model may call the server’s tools: convert temperature, wait',
    in_flight: 'In flight', queue: 'Queue', first_content: 'First content', tokens_per_second: 'Tokens a second',
    chart: 'Tokens a second and chats in flight, over the last minute', last_minute: 'last minute',
    prompts_label: 'Prompts, one in each line', prompts_hint: 'One prompt in each line',
    prompts: ['What is 12 * 12?', 'Translate \'good morning\' to French.', 'Count from 1 to 20.', 'Tell me a joke.',
      'What is (2 + 3) * 4?', 'Why is the sky blue?', '12加30等于多少？', 'Say hello, world.'],
    at_once: 'At once', run: 'Run', progress: 'How far the batch is',
    up: (s) => `up ${s}`, of: (n) => `of ${n}`, demo: 'offline demo model', unreachable: 'the server does not answer',
    totals: (n, ok, bad, gone, tokens) => `${n} chats: ${ok} answered, ${bad} failed, ${gone} cancelled · ${tokens} tokens`,
    cost: (first, tokens, speed, total) => `first content ${first} ms · ${tokens} tokens${speed ? ` · ${speed} tok/s` : ''} · ${total} s`,
    stopped: 'Stopped.', cut: 'cut at the limit of tokens', again: 'Try again', answered: 'The answer is complete.',
    progress_words: (done, total, failed, tokens, seconds) => `${done} of ${total}${failed ? `, ${failed} failed` : ''} · ${tokens} tokens · ${seconds} s`,
    token_wanted: 'This server needs an access token.', use_token: 'Use it',
    failed: (what) => `It failed: ${what}`,
  },
  zh: {
    skip: '跳到提问', language: 'English', theme: '浅色或深色', model: '模型', panes: '页面分区',
    chat: '对话', batch: '批量', live: '实时', new_chat: '新对话', conversation: '对话内容',
    hello: '想知道点什么？', hello_more: '回答边写边到，上下文会一直保留。',
    ideas: ['你好！', '12加30等于多少？', '天空为什么是蓝色的？', 'Count from 1 to 50.'],
    ask_hint: '输入问题', ask_label: '你的问题。回车发送，Shift 加回车换行。',
    send: '发送', stop: '停止', options: '选项', system_prompt: '系统提示', system_hint: '用一句话回答。',
    temperature: '温度', max_tokens: '最多 token 数', use_tools: '允许模型调用服务器的工具：convert temperature、wait',
    in_flight: '进行中', queue: '排队', first_content: '首字时间', tokens_per_second: '每秒 token',
    chart: '最近一分钟的每秒 token 数与进行中的对话数', last_minute: '最近一分钟',
    prompts_label: '每行一个问题', prompts_hint: '每行一个问题',
    prompts: ['12乘12等于多少？', '你好！', '你叫什么名字？', 'Count from 1 to 20.',
      'What is (2 + 3) * 4?', '天空为什么是蓝色的？', '12加30等于多少？', 'Say hello, world.'],
    at_once: '并发', run: '运行', progress: '批量进度',
    up: (s) => `已运行 ${s}`, of: (n) => `/ ${n}`, demo: '离线演示模型', unreachable: '服务器没有响应',
    totals: (n, ok, bad, gone, tokens) => `共 ${n} 次：成功 ${ok}，失败 ${bad}，取消 ${gone} · ${tokens} token`,
    cost: (first, tokens, speed, total) => `首字 ${first} 毫秒 · ${tokens} token${speed ? ` · 每秒 ${speed}` : ''} · ${total} 秒`,
    stopped: '已停止。', cut: '达到 token 上限', again: '重试', answered: '回答完成。',
    progress_words: (done, total, failed, tokens, seconds) => `${done} / ${total}${failed ? `，失败 ${failed}` : ''} · ${tokens} token · ${seconds} 秒`,
    token_wanted: '此服务器需要访问令牌。', use_token: '使用',
    failed: (what) => `出错了：${what}`,
  },
};

const stored = (name) => { try { return localStorage.getItem(name); } catch { return null; } };
let language = stored('chatcore.language') ?? (navigator.language.startsWith('zh') ? 'zh' : 'en');
const listeners = [];

/** The word, or what it makes of the values. */
export const word = (name, ...values) => {
  const found = WORDS[language][name];
  return typeof found === 'function' ? found(...values) : found;
};

/** Calls `then` now, and whenever the language changes. */
export const onLanguage = (then) => { listeners.push(then); then(); };

/** Takes the other language. */
export const otherLanguage = () => {
  language = language === 'zh' ? 'en' : 'zh';
  try { localStorage.setItem('chatcore.language', language); } catch { /* it is forgotten then */ }
  for (const then of listeners) then();
};

onLanguage(() => {
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  for (const element of document.querySelectorAll('[data-word]')) element.textContent = word(element.dataset.word);
  for (const element of document.querySelectorAll('[data-hint]')) element.placeholder = word(element.dataset.hint);
  for (const element of document.querySelectorAll('[data-label]')) element.setAttribute('aria-label', word(element.dataset.label));
});
