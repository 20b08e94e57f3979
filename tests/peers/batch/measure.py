"""Measures programs for batches on loopback, and writes docs/benchmarks/batch.md. See `run`.

measure.py [--items N] [--kills N] [--turns N]
"""

import argparse
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
PYTHON = HERE.parent / "target/venv-batch/bin/python"
CONCURRENCY = 64
PROMPT = "Classify the sentiment of this review as positive, negative or neutral: I bought this for my brother. Item"


class Peer:
    def __init__(self, name, command, results, input_line):
        self.name, self.command, self.results, self.input_line = name, command, results, input_line


def batch_line(number):
    body = {"model": "bench", "messages": [{"role": "user", "content": f"{PROMPT} {number}"}], "max_tokens": 100}
    return {"custom_id": f"n{number}", "method": "POST", "url": "/v1/chat/completions", "body": body}


def body_line(number):
    return {**batch_line(number)["body"], "metadata": {"id": f"n{number}"}}


def read(path, name):
    """The names of the results of a file; a torn last line counts as none."""
    if not path.exists():
        return []
    names = []
    for line in path.read_text().splitlines(keepends=True):
        try:
            names.append(name(json.loads(line)))
        except ValueError:
            pass
    return [name for name in names if name is not None]


def peers():
    chatcore = ROOT / "target/release/chatcore"
    yield Peer(
        "chatcore batch run",
        lambda url, source, output: [
            chatcore, "batch", "run", source, "-o", output, "--concurrency", str(CONCURRENCY),
            "--provider", "openai_compatible", "--model", "bench", "--base-url", url,
        ],
        lambda path: read(path, lambda line: line["custom_id"]),
        batch_line,
    )
    yield Peer(
        "async-batch-llm",
        lambda url, source, output: [PYTHON, HERE / "abl.py", url, source, output, str(CONCURRENCY)],
        lambda path: read(path, lambda line: line.get("item_id") if line.get("record_type") == "item" else None),
        batch_line,
    )
    if script := os.environ.get("COOKBOOK"):
        yield Peer(
            "OpenAI's cookbook",
            lambda url, source, output: [PYTHON, HERE / "cookbook.py", script, url, source, output],
            lambda path: read(path, lambda line: line[2]["id"]),
            body_line,
        )


class Server:
    def __init__(self):
        program = HERE.parent / "target/release/peers-server"
        self.process = subprocess.Popen(
            ["taskset", "-c", "1", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.base = f"http://127.0.0.1:{int(self.process.stdout.readline())}"

    def requests(self):
        return json.load(urllib.request.urlopen(f"{self.base}/stats"))["requests"]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def start(command):
    command = ["taskset", "-c", "0", *map(str, command)]
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "LLM_API_KEY": "sk-bench"}
    )
    return process


def held(process):
    """The most memory in KiB that the program has held. `ru_maxrss` would count this script's own."""
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    return 0


def wait(process):
    """Waits for its end: its status, CPU seconds and the most memory it held in KiB."""
    memory = 0
    while True:
        memory = max(memory, held(process))
        ended, status, usage = os.wait4(process.pid, os.WNOHANG)
        if ended:
            process.returncode = os.waitstatus_to_exitcode(status)
            return process.returncode, usage.ru_utime + usage.ru_stime, memory
        time.sleep(0.01)


def write_input(peer, folder, items):
    source = folder / "in.jsonl"
    with source.open("w") as file:
        file.writelines(json.dumps(peer.input_line(number)) + "\n" for number in range(items))
    return source


def speed(peer, server, items):
    """CPU microseconds for each item, items a second of wall time, and peak memory in MiB."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source, output = write_input(peer, folder, items), folder / "out.jsonl"
        began = time.monotonic()
        status, cpu, memory = wait(start(peer.command(f"{server.base}/v1", source, output)))
        wall = time.monotonic() - began
        found = peer.results(output)
        if status or sorted(set(found)) != sorted(f"n{number}" for number in range(items)):
            sys.exit(f"{peer.name}: status {status}, {len(set(found))} of {items} results")
        return cpu / items * 1e6, items / wall, memory / 1024


def kills(peer, server, items, count, seed):
    """Kills a run again and again, then lets it end: results lost, results twice, requests above one each."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source, output = write_input(peer, folder, items), folder / "out.jsonl"
        before = server.requests()
        done = 0
        for _ in range(count):
            process = start(peer.command(f"{server.base}/d50/v1", source, output))
            # The kill comes once this many requests more were sent, so that every program has worked.
            until = server.requests() + chance.randint(1, items // count)
            while server.requests() < until and process.poll() is None:
                time.sleep(0.005)
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                done += 1
            process.wait()
        status, _, _ = wait(start(peer.command(f"{server.base}/d50/v1", source, output)))
        if status:
            return done, None, None, None, f"status {status}"
        found = peer.results(output)
        sent = server.requests() - before
    return done, items - len(set(found)), len(found) - len(set(found)), sent - items, None


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--items", type=int, default=20_000)
    options.add_argument("--kills", type=int, default=10)
    options.add_argument("--turns", type=int, default=3)
    options.add_argument("--only", help="prints the figures of this program and writes nothing")
    options = options.parse_args()
    server = Server()
    rows = []
    for peer in peers():
        if options.only and options.only not in peer.name:
            continue
        small = [speed(peer, server, options.items // 10) for _ in range(options.turns)]
        turns = [speed(peer, server, options.items) for _ in range(options.turns)]
        cpu, rate, memory = (statistics.median(turn[place] for turn in turns) for place in range(3))
        grown = memory - statistics.median(turn[2] for turn in small)
        killed = kills(peer, server, 2_000, options.kills, 7)
        rows.append({
            "name": peer.name, "cpu_us": cpu, "per_core": 1e6 / cpu, "wall_rate": rate, "mib": memory,
            "mib_grown": grown, "kills": killed[0], "lost": killed[1], "twice": killed[2], "again": killed[3],
            "error": killed[4],
        })
        print(rows[-1], flush=True)
    server.close()
    if not options.only:
        write(rows, options)


def write(rows, options):
    said = lambda *command: subprocess.run(command, capture_output=True, text=True).stdout.strip()
    load = Path("/proc/loadavg").read_text().split()[0]
    text = (
        "# Batches beside other programs\n\n"
        f"{said('date', '-u', '+%Y-%m-%d')}, {said('nproc')} cores, load {load} at the end, by `tests/peers/batch/run "
        f"--items {options.items} --kills {options.kills} --turns {options.turns}`.\n"
        f"{options.items:,} items on loopback, {CONCURRENCY} at once, medians of {options.turns}. Items a second for each "
        "core are those of a second of processor time, so that other work on the machine does not count.\n\n"
        "| program | items a second for each core | processor µs an item | peak MiB | of it, by ten times the items |\n"
        "|---|---:|---:|---:|---:|\n"
    )
    for row in rows:
        text += (
            f"| {row['name']} | {row['per_core']:,.0f} | {row['cpu_us']:,.0f} | {row['mib']:.1f} | {row['mib_grown']:.1f} |\n"
        )
    text += (
        "\n`kill -9` at random moments of 2,000 items at a server that takes 50 ms, then the same command until its end:\n\n"
        "| program | kills | results lost | results twice | requests sent again |\n|---|---:|---:|---:|---:|\n"
    )
    for row in rows:
        if row["error"]:
            text += f"| {row['name']} | {row['kills']} | does not go on: {row['error']} | – | – |\n"
        else:
            text += f"| {row['name']} | {row['kills']} | {row['lost']} | {row['twice']} | {row['again']} |\n"
    text += (
        "\nThe cookbook's processor has no limit on requests in flight; it begins at most one in each millisecond. It does "
        "not resume: each start sends the whole input again and appends to the same file. async-batch-llm keeps its own "
        "store of results, from which a run goes on.\n"
    )
    (ROOT / "docs/benchmarks/batch.md").write_text(text)


main()
