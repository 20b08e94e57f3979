// The driver for Node clients. It has the same load, arguments and line of JSON as the Rust
// drivers.
//
//     driver.mjs PEER URL WORK COUNT AT_ONCE WARM_UP EXPECT

import { readFileSync, writeFileSync } from 'node:fs';
import { PEERS } from './peers.mjs';

const [name, url, work, ...numbers] = process.argv.slice(2);
const [count, atOnce, warmUp, expect] = numbers.map(Number);

async function run(peer, count, atOnce) {
  const done = { latencies: [], answers: 0, events: 0, errors: 0, firstError: null };
  const add = (seen) => {
    if (seen.bytes !== expect) throw new Error(`${seen.bytes} bytes instead of ${expect}`);
    done.answers += 1;
    done.events += seen.events;
  };
  const failed = (error) => {
    done.errors += 1;
    done.firstError ??= String(error);
  };
  if (work === 'batch' && peer.batch) {
    for (const result of await peer.batch(count, atOnce)) {
      try {
        if (result.error) throw result.error;
        add(result);
      } catch (error) {
        failed(error);
      }
    }
    return done;
  }
  const loop = async (first) => {
    for (let number = first; number < count; number += atOnce) {
      const began = process.hrtime.bigint();
      try {
        add(work === 'streams' ? await peer.stream(number) : await peer.chat(number));
      } catch (error) {
        failed(error);
      }
      done.latencies.push(Number(process.hrtime.bigint() - began));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, (_, first) => loop(first)));
  return done;
}

function memory(field) {
  const line = readFileSync('/proc/self/status', 'utf8')
    .split('\n')
    .find((line) => line.startsWith(field));
  return Number(line?.split(/\s+/)[1] ?? 0);
}

function quantile(sorted, q) {
  return sorted.length ? sorted[Math.round((sorted.length - 1) * q)] / 1e3 : null;
}

const peer = await PEERS[name](url, atOnce);
const warmCount = Math.max(warmUp, 1);
const warm = await run(peer, warmCount, Math.min(atOnce, warmCount));
writeFileSync('/proc/self/clear_refs', '5');
const memoryBefore = memory('VmRSS:');
const before = process.cpuUsage();
const began = process.hrtime.bigint();
const done = await run(peer, count, Math.min(atOnce, count));
const wall = Number(process.hrtime.bigint() - began) / 1e3;
const used = process.cpuUsage(before);
const memoryPeak = memory('VmHWM:');
done.latencies.sort((a, b) => a - b);
console.log(
  JSON.stringify({
    answers: done.answers,
    events: done.events,
    errors: done.errors + warm.errors,
    first_error: done.firstError ?? warm.firstError,
    wall_us: wall,
    user_us: used.user,
    system_us: used.system,
    p50_us: work === 'batch' ? null : quantile(done.latencies, 0.5),
    p99_us: work === 'batch' ? null : quantile(done.latencies, 0.99),
    memory_before_kib: memoryBefore,
    memory_peak_kib: memoryPeak,
  }),
);
process.exit(0);
