// The bytes of a Blob or a File.
import { said } from './errors.js';
import type { ByteSource } from './line-input.js';

/** @internal */
export const blobSource = (blob: Blob): ByteSource => ({ name: (blob as Partial<File>).name ?? 'the Blob', open: () => read(blob) });

async function* read(blob: Blob): AsyncGenerator<Uint8Array> {
  const [a, b] = new Uint8Array(await blob.slice(0, 2).arrayBuffer());
  const isPacked = a === 0x1f && b === 0x8b;
  const stream = blob.stream() as ReadableStream<Uint8Array<ArrayBuffer>>;
  const reader = (isPacked ? stream.pipeThrough(new DecompressionStream('gzip')) : stream).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    // Nobody waits for an error of a stream that was left.
    reader.cancel().catch(said);
  }
}
