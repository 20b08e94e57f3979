"""Anthropic's own client for Python in front of the server, as in front of Anthropic.

    python anthropic_python.py target/debug/server
"""

import asyncio
import sys

import anthropic

from running import running

MESSAGES = [{"role": "user", "content": "Count from 1 to 5."}]
TOOL = {
    "name": "get_weather",
    "description": "The weather in a city",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
    "cache_control": {"type": "ephemeral"},
}


def whole(client: anthropic.Anthropic) -> None:
    answer = client.messages.create(
        model="demo", max_tokens=200, system="Be brief.", messages=MESSAGES
    )
    assert answer.content[0].text == "1 2 3 4 5", answer
    assert (answer.type, answer.role, answer.stop_reason) == ("message", "assistant", "end_turn")
    assert answer.id and answer._request_id
    assert answer.usage.output_tokens == 5
    # The same path, with a query.
    beta = client.beta.messages.create(
        model="demo", max_tokens=200, messages=MESSAGES, betas=["files-api-2025-04-14"]
    )
    assert beta.content[0].text == "1 2 3 4 5", beta
    cut = client.messages.create(model="demo", max_tokens=2, messages=MESSAGES)
    assert cut.stop_reason == "max_tokens", cut


def streamed(client: anthropic.Anthropic) -> None:
    create = client.messages.create(model="demo", max_tokens=200, messages=MESSAGES, stream=True)
    kinds = [event.type for event in create]
    assert kinds[:2] == ["message_start", "content_block_start"], kinds
    assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"], kinds
    with client.messages.stream(model="demo", max_tokens=200, messages=MESSAGES) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert text == final.content[0].text == "1 2 3 4 5", text
    assert final.stop_reason == "end_turn"
    assert final.usage.output_tokens == 5, final.usage


def tools(client: anthropic.Anthropic) -> None:
    messages = [{"role": "user", "content": "Use get_weather for Paris."}]
    asked = {"model": "demo", "max_tokens": 200, "tools": [TOOL]}
    answer = client.messages.create(messages=messages, tool_choice={"type": "any"}, **asked)
    assert answer.stop_reason == "tool_use"
    call = next(block for block in answer.content if block.type == "tool_use")
    assert call.name == "get_weather" and isinstance(call.input, dict), call
    # In pieces it is the same.
    with client.messages.stream(messages=messages, tool_choice={"type": "any"}, **asked) as stream:
        pieces = stream.get_final_message()
    again = next(block for block in pieces.content if block.type == "tool_use")
    assert (again.name, again.input) == (call.name, call.input), again
    # And the result goes back.
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "sunny"}
    messages += [{"role": "assistant", "content": answer.content}, {"role": "user", "content": [result]}]
    answer = client.messages.create(messages=messages, **asked)
    assert answer.content[0].text, answer


def errors(base: str, client: anthropic.Anthropic) -> None:
    def raises(kind: type[anthropic.APIStatusError], of: str, call) -> None:
        try:
            call()
        except kind as error:
            assert error.body["type"] == "error", error.body
            assert error.body["error"]["type"] == of, error.body
            assert error.request_id, error
        else:
            raise AssertionError(f"no {kind}")

    def create(client: anthropic.Anthropic = client, **more):
        return lambda: client.messages.create(**({"model": "demo", "max_tokens": 9, "messages": MESSAGES} | more))

    raises(anthropic.NotFoundError, "not_found_error", create(model="claude-9"))
    raises(anthropic.BadRequestError, "invalid_request_error", create(max_tokens=20_000))
    raises(anthropic.BadRequestError, "invalid_request_error", create(messages=[]))
    stranger = anthropic.Anthropic(base_url=base, api_key="wrong", max_retries=0)
    raises(anthropic.AuthenticationError, "authentication_error", create(stranger))


def keys(base: str) -> None:
    """The token in each of the headers that Anthropic's clients have used for it."""
    for headers in ({"X-Api-Key": "sesame"}, {"Authorization": "Bearer sesame"}):
        client = anthropic.Anthropic(base_url=base, api_key=None, auth_token=None, default_headers=headers)
        answer = client.messages.create(model="demo", max_tokens=200, messages=MESSAGES)
        assert answer.content[0].text == "1 2 3 4 5", answer


async def at_once(base: str) -> None:
    """More at once than the server lets through: its queue holds the others."""
    async with anthropic.AsyncAnthropic(base_url=base, api_key="sesame", max_retries=0) as client:
        ask = lambda n: client.messages.create(
            model="demo", max_tokens=200, messages=[{"role": "user", "content": f"{n}+1"}]
        )
        answers = await asyncio.gather(*(ask(n) for n in range(40)))
    for n, answer in enumerate(answers):
        assert answer.content[0].text == f"{n}+1 = {n + 1}.", answer


def main() -> None:
    with running(sys.argv[1]) as base:
        client = anthropic.Anthropic(base_url=base, api_key="sesame", max_retries=0)
        whole(client)
        streamed(client)
        tools(client)
        errors(base, client)
        keys(base)
        asyncio.run(at_once(base))
    print(f"anthropic {anthropic.__version__}: all passed")


if __name__ == "__main__":
    main()
