// `chatcore/whole`, and `require('chatcore')` outside of Node: all dialects in one file, for hosts that cannot import a
// chunk later (service workers, Jest without modules).
import { load } from './core-all.js';
import { setSource } from '../border/load.js';

setSource(load);

export * from '../api/exports.js';
