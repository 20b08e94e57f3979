// JSON that is still being written. The list of cases is shared with the core.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { sources } from './sources.mjs';

const { partial: { PartialJson }, ask: { Values } } = await sources({ partial: 'typed/partial.ts', ask: 'typed/ask.ts' });
const cases = JSON.parse(readFileSync(new URL('../../core/cases/partial.json', import.meta.url), 'utf8'));

const read = (pieces) => {
  const json = new PartialJson();
  for (const piece of pieces) json.feed(piece);
  return json.value;
};

test('every case is read as the list says', () => {
  assert.ok(cases.length > 25);
  for (const { pieces, value, grown, complete } of cases) {
    const json = new PartialJson();
    const has = pieces.map((piece) => json.feed(piece));
    // As JSON, because an own property `__proto__` is not compared otherwise.
    assert.equal(JSON.stringify(json.value), JSON.stringify(value), `${pieces}`);
    if (grown) assert.deepEqual(has, grown, `${pieces}`);
    if (complete !== undefined) assert.equal(json.isComplete, complete);
    // Split into single characters, the value is the same.
    assert.equal(JSON.stringify(read([...pieces.join('')])), JSON.stringify(value), `${pieces}`);
  }
});

test('a name that would set the prototype sets a property', () => {
  const value = read(['{"a":{"__proto__":{"isAdmin":true', '}}}']);
  assert.equal(value.a.isAdmin, undefined);
  assert.deepEqual(Object.keys(value.a), ['__proto__']);
  assert.equal({}.isAdmin, undefined);
});

test('a value that was taken is not changed later, and what is complete is shared', () => {
  const text = '{"list":[{"a":"one"},{"a":"two","b":[1,2,3]}],"end":true}';
  const json = new PartialJson();
  const taken = [];
  for (const letter of text) {
    json.feed(letter);
    taken.push([json.value, JSON.stringify(json.value)]);
  }
  for (const [value, then] of taken) assert.equal(JSON.stringify(value), then);
  const full = taken.at(-1)[0];
  assert.deepEqual(full, JSON.parse(text));
  // The first item was complete when the second one began.
  const before = taken.find(([value]) => value.list?.length === 2)[0];
  assert.equal(before.list[0], full.list[0]);
  assert.notEqual(before.list, full.list);
});

test('a deep text is no danger', () => {
  const value = read(['['.repeat(100_000)]);
  assert.ok(Array.isArray(value) || value === null);
});

test('the work is proportional to the text: a long list costs few copies', () => {
  const values = new Values(undefined);
  let taken = 0;
  let copied = 0;
  values.feed('[');
  const count = 20_000;
  for (let n = 0; n < count; n += 1) {
    const value = values.feed('1,');
    if (value === undefined) continue;
    taken += 1;
    copied += value.length;
  }
  assert.ok(taken > 10, `${taken}`);
  assert.ok(copied < 40 * 2 * count, `${copied}`);
  const last = values.take() ?? [];
  assert.ok(last.length === 0 || last.length === count);
});
