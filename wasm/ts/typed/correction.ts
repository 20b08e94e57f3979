/** @internal The message that asks for a correction, as in core/src/typed/call.rs. */
export const correction = ({ path, reason }: { path: string; reason: string }) =>
  `That answer does not match the JSON schema: at ${path}, ${reason}. Answer again with the whole corrected JSON, and with nothing else.`;
