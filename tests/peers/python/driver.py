"""The driver for Python clients, with the load, arguments and JSON line of the Rust drivers.

    driver.py PEER URL WORK COUNT AT_ONCE WARM_UP EXPECT
"""

import asyncio
import json
import resource
import sys
import time

MODEL = "bench"


def messages(number):
    return [{"role": "user", "content": f"Why is the sky blue? ({number})"}]


class OpenAI:
    """openai-python, with one connection for each call in flight."""

    def __init__(self, url, at_once):
        import httpx
        import openai

        limits = httpx.Limits(max_connections=at_once, max_keepalive_connections=at_once)
        self.client = openai.AsyncOpenAI(
            base_url=url,
            api_key="sk-bench",
            http_client=openai.DefaultAsyncHttpxClient(limits=limits),
        )

    async def chat(self, number):
        answer = await self.client.chat.completions.create(
            model=MODEL, messages=messages(number), temperature=0, max_tokens=256
        )
        return len(answer.choices[0].message.content), 1

    async def stream(self, number):
        size = events = 0
        stream = await self.client.chat.completions.create(
            model=MODEL, messages=messages(number), temperature=0, max_tokens=256, stream=True
        )
        async for event in stream:
            if text := event.choices[0].delta.content:
                size += len(text)
                events += 1
        return size, events


class LiteLLM:
    """litellm's async call."""

    def __init__(self, url, at_once):
        import litellm

        self.call = litellm.acompletion
        self.options = {
            "model": f"openai/{MODEL}",
            "api_base": url,
            "api_key": "sk-bench",
            "temperature": 0,
            "max_tokens": 256,
        }

    async def chat(self, number):
        answer = await self.call(messages=messages(number), **self.options)
        return len(answer.choices[0].message.content), 1

    async def stream(self, number):
        size = events = 0
        stream = await self.call(messages=messages(number), stream=True, **self.options)
        async for event in stream:
            if text := event.choices[0].delta.content:
                size += len(text)
                events += 1
        return size, events


class Httpx:
    """httpx, the HTTP client of both, on its own."""

    def __init__(self, url, at_once):
        import httpx

        limits = httpx.Limits(max_connections=at_once, max_keepalive_connections=at_once)
        self.client = httpx.AsyncClient(limits=limits, timeout=600)
        self.url = f"{url}/chat/completions"
        self.headers = {"authorization": "Bearer sk-bench"}

    def body(self, number, **more):
        return {
            "model": MODEL,
            "messages": messages(number),
            "temperature": 0,
            "max_tokens": 256,
            **more,
        }

    async def chat(self, number):
        answer = await self.client.post(self.url, json=self.body(number), headers=self.headers)
        answer.raise_for_status()
        return len(answer.content), 1

    async def stream(self, number):
        size = events = 0
        body = self.body(number, stream=True)
        async with self.client.stream("POST", self.url, json=body, headers=self.headers) as answer:
            answer.raise_for_status()
            async for piece in answer.aiter_bytes():
                size += len(piece)
                events += 1
        return size, events


PEERS = {"openai-python": OpenAI, "litellm": LiteLLM, "bare-httpx": Httpx}


class Done:
    def __init__(self):
        self.latencies = []
        self.answers = self.events = self.errors = 0
        self.first_error = None


async def run(peer, work, count, at_once, expect):
    done = Done()
    call = peer.stream if work == "streams" else peer.chat

    async def loop(first):
        for number in range(first, count, at_once):
            began = time.perf_counter_ns()
            try:
                size, events = await call(number)
                if size != expect:
                    raise ValueError(f"{size} bytes instead of {expect}")
                done.answers += 1
                done.events += events
            except Exception as error:
                done.errors += 1
                done.first_error = done.first_error or repr(error)
            done.latencies.append(time.perf_counter_ns() - began)

    await asyncio.gather(*(loop(first) for first in range(at_once)))
    return done


def memory(field):
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith(field):
                return int(line.split()[1])
    return 0


def quantile(latencies, q):
    return latencies[round((len(latencies) - 1) * q)] / 1e3 if latencies else None


async def main():
    name, url, work, count, at_once, warm_up, expect = sys.argv[1:]
    count, at_once, warm_up, expect = int(count), int(at_once), int(warm_up), int(expect)
    peer = PEERS[name](url, at_once)
    warm_up = max(warm_up, 1)
    warm = await run(peer, work, warm_up, min(at_once, warm_up), expect)
    with open("/proc/self/clear_refs", "w") as refs:
        refs.write("5")
    memory_before = memory("VmRSS:")
    before = resource.getrusage(resource.RUSAGE_SELF)
    began = time.perf_counter()
    done = await run(peer, work, count, min(at_once, count), expect)
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_SELF)
    memory_peak = memory("VmHWM:")
    done.latencies.sort()
    result = {
        "answers": done.answers,
        "events": done.events,
        "errors": done.errors + warm.errors,
        "first_error": done.first_error or warm.first_error,
        "wall_us": wall * 1e6,
        "user_us": (after.ru_utime - before.ru_utime) * 1e6,
        "system_us": (after.ru_stime - before.ru_stime) * 1e6,
        # These clients have no batch method, so the loops are the code that their users write.
        "p50_us": None if work == "batch" else quantile(done.latencies, 0.50),
        "p99_us": None if work == "batch" else quantile(done.latencies, 0.99),
        "memory_before_kib": memory_before,
        "memory_peak_kib": memory_peak,
    }
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
