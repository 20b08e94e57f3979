// The core's table of model rules, for programs that look a model up or change a row.
import { MODEL_RULES as TABLE } from '../base/tables.js';
import type { ModelRule } from './options.js';

/**
 * What chatcore knows about models. The first rule that matches a model applies. Fields that a rule does not set have
 * the defaults in `ModelRule`. Pass your own rules as the option `modelRules`; they come before these.
 *
 * ```js
 * import { MODEL_RULES } from 'chatcore/models';
 *
 * const reasoning = MODEL_RULES.filter(({ reasoning }) => reasoning === 'always').map(({ models }) => models);
 * ```
 */
export const MODEL_RULES: readonly Readonly<ModelRule>[] = TABLE;
