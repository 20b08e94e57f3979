// The estimate of tokens in a tool loop is that of the core.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { sources } from './sources.mjs';

const { estimate: { estimate } } = await sources({ estimate: 'tools/estimate.ts' });

test('every case', () => {
  const cases = JSON.parse(readFileSync(new URL('../../core/cases/estimate.json', import.meta.url), 'utf8'));
  assert.ok(cases.length > 4);
  for (const { name, messages, tools, tokens } of cases) assert.equal(estimate(messages, tools), tokens, name);
});

test('tools in the form of OpenAI count as those in chatcore\'s', () => {
  const tool = { name: 'weather', description: 'of a city', parameters: { type: 'object', properties: {} } };
  const messages = [{ role: 'user', content: 'x' }];
  assert.equal(estimate(messages, [{ type: 'function', function: tool }]), estimate(messages, [tool]));
});
