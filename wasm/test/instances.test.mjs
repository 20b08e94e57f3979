// Errors of other copies of the package, and of other realms.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import vm from 'node:vm';
import * as esm from '../dist/node.js';
import * as slim from '../dist/slim.js';
import { path } from './pages.mjs';

const cjs = createRequire(import.meta.url)('../dist/node.cjs');

test('instanceof holds across copies', () => {
  for (const [one, other] of [[esm, cjs], [cjs, esm], [esm, slim]]) {
    const error = new one.TimeoutError('x', { code: 'timeout' });
    assert.ok(error instanceof other.TimeoutError);
    assert.ok(error instanceof other.LlmError);
    assert.ok(!(error instanceof other.AuthError));
  }
  for (const value of [null, undefined, 1, 'x', {}, new Error('x'), Object.create(null)]) assert.ok(!(value instanceof esm.LlmError));
});

test('instanceof holds across realms', () => {
  const module = { exports: {} };
  const context = vm.createContext({ module, exports: module.exports, console });
  vm.runInContext(`(function () { ${readFileSync(path('../dist/slim.cjs'), 'utf8')} })()`, context);
  const error = new module.exports.AuthError('x', { code: 'auth' });
  assert.ok(!(error instanceof Error));
  assert.ok(error instanceof esm.AuthError);
  assert.ok(error instanceof esm.LlmError);
  assert.ok(!(error instanceof esm.ServerError));
});

test('a class of the caller\'s own has its own instances alone', () => {
  class AuthError extends esm.AuthError {}
  assert.ok(new AuthError('x', { code: 'auth' }) instanceof AuthError);
  assert.ok(new AuthError('x', { code: 'auth' }) instanceof esm.AuthError);
  assert.ok(!(new esm.AuthError('x', { code: 'auth' }) instanceof AuthError));
});
