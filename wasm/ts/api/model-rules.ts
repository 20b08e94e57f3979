// The core's table of model rules, for programs that look a model up or change a row.
import { MODEL_RULES as TABLE } from '../base/tables.js';
import type { ModelRule } from './options.js';

/**
 * What chatcore knows of models: the first rule that is for a model counts. What a rule does not say is as in
 * `ModelRule`. Give rules of your own as the option `modelRules`; they come before these.
 *
 * ```js
 * const reasoning = MODEL_RULES.filter(({ reasoning }) => reasoning === 'always').map(({ models }) => models);
 * ```
 */
export const MODEL_RULES: readonly Readonly<ModelRule>[] = TABLE;
