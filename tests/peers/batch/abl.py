"""async-batch-llm over a file of requests, with its store for restarts: abl.py URL INPUT OUTPUT CONCURRENCY."""

import asyncio
import json
import sys

from async_batch_llm import (
    ArtifactIdentity,
    JsonlArtifactStore,
    OpenAIModel,
    OpenAIStrategy,
    ProcessorConfig,
    ResumePolicy,
    process_stream,
)
from openai import AsyncOpenAI


def items(path):
    with open(path) as lines:
        for line in lines:
            request = json.loads(line)
            yield request["custom_id"], request["body"]["messages"][0]["content"]


async def main(url, source, output, concurrency):
    identity = ArtifactIdentity(
        provider="bench", model="bench", prompt_version="1", parser_version="1", application_version="1"
    )
    client = AsyncOpenAI(base_url=url, api_key="sk-bench", max_retries=0)
    strategy = OpenAIStrategy(OpenAIModel(client=client, model="bench", api_surface="chat_completions"))
    config = ProcessorConfig(concurrency=concurrency, max_queue_size=1_000, max_result_queue_size=1_000)
    store = JsonlArtifactStore(output, identity=identity)
    results = process_stream(
        strategy, items(source), config=config, artifact_store=store, resume=ResumePolicy.REUSE_SUCCESSES
    )
    async for result in results:
        if not result.success:
            raise SystemExit(f"{result.item_id}: {result.error}")


url, source, output, concurrency = sys.argv[1:]
asyncio.run(main(url, source, output, int(concurrency)))
