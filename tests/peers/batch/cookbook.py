"""Runs the processor of OpenAI's cookbook against loopback: cookbook.py SCRIPT URL INPUT OUTPUT."""

import asyncio
import importlib.util
import logging
import sys

script, url, source, output = sys.argv[1:]
spec = importlib.util.spec_from_file_location("processor", script)
processor = importlib.util.module_from_spec(spec)
# Its dataclasses look the module up.
sys.modules["processor"] = processor
spec.loader.exec_module(processor)
# It only knows URLs that begin with https.
processor.api_endpoint_from_url = lambda url: "chat/completions"
asyncio.run(
    processor.process_api_requests_from_file(
        requests_filepath=source,
        save_filepath=output,
        request_url=f"{url}/chat/completions",
        api_key="sk-bench",
        max_requests_per_minute=1e9,
        max_tokens_per_minute=1e12,
        token_encoding_name="cl100k_base",
        max_attempts=5,
        logging_level=logging.ERROR,
    )
)
