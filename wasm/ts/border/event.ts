// What the core writes for a stream: events, then the whole answer or an error.
import type { ErrorView } from '../base/errors.js';
import { usage, type ResponseView, type UsageView } from './response.js';
import type { ChatEvent } from '../base/types.js';

/** @internal An event as the core writes it. */
export type EventView = Exclude<ChatEvent, { type: 'usage' }> | { type: 'usage'; usage: UsageView };

/** @internal One item that the core writes for a stream. */
export type Item = EventView | { type: 'response'; response: ResponseView } | ({ type: 'error' } & ErrorView);

/** @internal */
export const eventOf = (view: EventView): ChatEvent =>
  view.type === 'usage' ? { type: 'usage', usage: usage(view.usage) } : view;
