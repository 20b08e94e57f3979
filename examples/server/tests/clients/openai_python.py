"""openai-python in front of the server, as in front of OpenAI; its metrics by Prometheus' own parser.

    python openai_python.py target/debug/server
"""

import asyncio
import json
import sys
import urllib.request

import openai
from prometheus_client.parser import text_string_to_metric_families

from running import running

MESSAGES = [{"role": "user", "content": "Count from 1 to 5."}]
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}


def whole(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["demo"]
    answer = client.chat.completions.create(model="demo", messages=MESSAGES)
    assert answer.choices[0].message.content == "1 2 3 4 5", answer
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.completion_tokens == 5


def streamed(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model="demo", messages=MESSAGES, stream=True, stream_options={"include_usage": True}
    )
    text, usage = "", None
    for chunk in stream:
        text += (chunk.choices[0].delta.content or "") if chunk.choices else ""
        usage = chunk.usage or usage
    assert text == "1 2 3 4 5", text
    assert usage.completion_tokens == 5
    with client.chat.completions.stream(model="demo", messages=MESSAGES) as stream:
        stream.until_done()
        assert stream.get_final_completion().choices[0].message.content == text


def tools(client: openai.OpenAI) -> None:
    messages = [{"role": "user", "content": "Use get_weather for Paris."}]
    answer = client.chat.completions.create(
        model="demo", messages=messages, tools=[TOOL], tool_choice="required"
    )
    message = answer.choices[0].message
    assert answer.choices[0].finish_reason == "tool_calls"
    call = message.tool_calls[0]
    assert call.function.name == "get_weather"
    json.loads(call.function.arguments)
    messages += [message, {"role": "tool", "tool_call_id": call.id, "content": "sunny"}]
    answer = client.chat.completions.create(model="demo", messages=messages, tools=[TOOL])
    assert answer.choices[0].message.content


def errors(base: str, client: openai.OpenAI) -> None:
    def raises(kind: type[openai.APIStatusError], code: str, call) -> None:
        try:
            call()
        except kind as error:
            assert error.code == code, error
        else:
            raise AssertionError(f"no {kind}")

    create = client.chat.completions.create
    raises(openai.NotFoundError, "model_not_found", lambda: create(model="gpt-9", messages=MESSAGES))
    raises(openai.BadRequestError, "unsupported_value", lambda: create(model="demo", messages=MESSAGES, n=5))
    raises(openai.BadRequestError, "too_many_tokens", lambda: create(model="demo", messages=MESSAGES, max_tokens=10**6))
    stranger = openai.OpenAI(base_url=f"{base}/v1", api_key="wrong")
    raises(openai.AuthenticationError, "invalid_token", lambda: list(stranger.models.list()))


async def at_once(base: str) -> None:
    """More at once than the server lets through: its queue holds the others."""
    async with openai.AsyncOpenAI(base_url=f"{base}/v1", api_key="sesame", max_retries=0) as client:
        ask = lambda n: client.chat.completions.create(
            model="demo", messages=[{"role": "user", "content": f"{n}+1"}]
        )
        answers = await asyncio.gather(*(ask(n) for n in range(60)))
    for n, answer in enumerate(answers):
        assert answer.choices[0].message.content == f"{n}+1 = {n + 1}.", answer


def metrics(base: str) -> None:
    request = urllib.request.Request(f"{base}/metrics", headers={"Authorization": "Bearer sesame"})
    text = urllib.request.urlopen(request).read().decode()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    calls = {sample.labels["outcome"]: sample.value for sample in families["chatcore_calls"].samples}
    assert calls["succeeded"] >= 65, calls
    assert families["chatcore_time_to_first_content_seconds"].type == "histogram"
    for name in ("chatcore_in_flight", "chatcore_queue_length", "chatcore_tokens", "chatcore_call_duration_seconds"):
        assert families[name].samples, name


def main() -> None:
    with running(sys.argv[1]) as base:
        client = openai.OpenAI(base_url=f"{base}/v1", api_key="sesame", max_retries=0)
        whole(client)
        streamed(client)
        tools(client)
        errors(base, client)
        asyncio.run(at_once(base))
        metrics(base)
    print(f"openai-python {openai.__version__}: all passed")


if __name__ == "__main__":
    main()
