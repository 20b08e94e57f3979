// Makes one chat, to measure start-up. once.mjs PEER URL

import { PEERS } from './peers.mjs';

const [name, url] = process.argv.slice(2);
const peer = await PEERS[name](url, 1);
const { bytes } = await peer.chat(0);
console.log(`${bytes} bytes`);
process.exit(0);
