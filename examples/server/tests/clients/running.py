"""The server as a process, on the demo model."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator


@contextlib.contextmanager
def running(program: str) -> Iterator[str]:
    """Runs the server and gives its address; at the end it must drain and exit with 0."""
    prefixes = ("LLM_", "CHATCORE_", "DEEPSEEK_", "OPENAI_", "ANTHROPIC_", "USE_MOCK")
    env = {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}
    env |= {"CHATCORE_TOKEN": "sesame", "LLM_ASYNC_WORKERS": "8"}
    server = subprocess.Popen([program, "--addr", "127.0.0.1:0"], env=env, stdout=subprocess.PIPE, text=True)
    try:
        yield server.stdout.readline().strip()
    finally:
        server.send_signal(signal.SIGTERM)
        status = server.wait(timeout=40)
    assert status == 0, status
