// XXH3, with which Rust's journals recognize lines.
import { createXXHash3 } from 'hash-wasm';

/** @internal The digest of a text or its bytes, as an unsigned number of 64 bits. */
export type Digest = (data: Uint8Array | string) => bigint;

let loading: Promise<Digest> | undefined;

/** @internal Loads the hash function. */
export function digester(): Promise<Digest> {
  return (loading ??= createXXHash3().then((hash) => {
    const number = (bytes: Uint8Array) => {
      const view = new DataView(bytes.buffer, bytes.byteOffset, 8);
      return view.getBigUint64(0);
    };
    return (data) => number(hash.init().update(data).digest('binary'));
  }));
}
