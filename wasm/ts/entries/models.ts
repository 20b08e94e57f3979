// `chatcore/models`: what chatcore knows about models. It is a separate entry, because a page without a bundler would load the
// table with the client, and few programs read it.
export { MODEL_RULES } from '../api/model-rules.js';
export type { ModelRule } from '../api/options.js';
export type { Reasons, Takes } from '../base/tables.js';
