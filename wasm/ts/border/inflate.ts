// Inflates the module by the host's `DecompressionStream`, which does not block the page's main thread.
import { gunzipSync } from 'fflate';

/** @internal Inflates gzip. Hosts without `DecompressionStream` (Safari before 16.4, jsdom) do it in JavaScript. */
export async function inflate(bytes: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer | Uint8Array<ArrayBuffer>> {
  if (typeof DecompressionStream !== 'function' || typeof Response !== 'function') return gunzipSync(bytes) as Uint8Array<ArrayBuffer>;
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).arrayBuffer();
}

/** @internal Inflates gzip in base64. */
export const inflateText = (base64: string) => inflate(Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)));
