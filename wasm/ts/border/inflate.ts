// Inflates the module by the host's `DecompressionStream`, which does not block the page's main thread.
import { gunzipSync } from 'fflate';
import type { WasmSource } from './load.js';

/** The bytes of a text in base64. The host's own function takes a hundredth of the time, where there is one. */
function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  const { fromBase64 } = Uint8Array as { fromBase64?: (text: string) => Uint8Array<ArrayBuffer> };
  if (fromBase64) return fromBase64.call(Uint8Array, base64);
  const letters = atob(base64);
  const bytes = new Uint8Array(letters.length);
  for (let at = 0; at < letters.length; at += 1) bytes[at] = letters.charCodeAt(at);
  return bytes;
}

/**
 * @internal
 * Inflates a module from gzip in base64, as a response that can be compiled while it is inflated. Hosts without
 * `DecompressionStream` (Safari before 16.4, jsdom) inflate it in JavaScript.
 */
export function inflateText(base64: string): WasmSource {
  const bytes = bytesOf(base64);
  if (typeof DecompressionStream !== 'function' || typeof Response !== 'function') return gunzipSync(bytes) as Uint8Array<ArrayBuffer>;
  const inflated = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Response(inflated, { headers: { 'content-type': 'application/wasm' } });
}
