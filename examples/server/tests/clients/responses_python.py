"""openai-python's Responses in front of the server, as in front of OpenAI.

    python responses_python.py target/debug/server
"""

import json
import sys

import openai

from running import running

QUESTION = "Count from 1 to 5."
TOOL = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather in a city",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
    "strict": False,
}


def whole(client: openai.OpenAI) -> None:
    answer = client.responses.create(model="demo", input=QUESTION, instructions="Be brief.", store=False)
    assert answer.output_text == "1 2 3 4 5", answer
    assert (answer.object, answer.status, answer.error) == ("response", "completed", None)
    assert answer.usage.output_tokens == 5 and answer.usage.total_tokens > 5
    assert answer.instructions == "Be brief."
    cut = client.responses.create(model="demo", input=QUESTION, max_output_tokens=2)
    assert cut.status == "incomplete" and cut.incomplete_details.reason == "max_output_tokens", cut


def streamed(client: openai.OpenAI) -> None:
    events = list(client.responses.create(model="demo", input=QUESTION, stream=True))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert text == "1 2 3 4 5", text
    kinds = [event.type for event in events]
    assert kinds[:2] == ["response.created", "response.in_progress"], kinds
    assert kinds[-2:] == ["response.output_item.done", "response.completed"], kinds
    # The client puts the events together and holds them against the whole.
    with client.responses.stream(model="demo", input=QUESTION) as stream:
        stream.until_done()
        final = stream.get_final_response()
    assert final.output_text == text and final.usage.output_tokens == 5


def tools(client: openai.OpenAI) -> None:
    items = [{"role": "user", "content": "Use get_weather for Paris."}]
    asked = {"model": "demo", "tools": [TOOL], "store": False}
    answer = client.responses.create(input=items, tool_choice="required", **asked)
    call = next(item for item in answer.output if item.type == "function_call")
    assert call.name == "get_weather"
    arguments = json.loads(call.arguments)
    with client.responses.stream(input=items, tool_choice="required", **asked) as stream:
        stream.until_done()
        again = next(item for item in stream.get_final_response().output if item.type == "function_call")
    assert json.loads(again.arguments) == arguments
    # All of the answer goes back, and the result.
    items += answer.output
    items.append({"type": "function_call_output", "call_id": call.call_id, "output": "sunny"})
    answer = client.responses.create(input=items, **asked)
    assert answer.output_text, answer


def errors(base: str, client: openai.OpenAI) -> None:
    def raises(kind: type[openai.APIStatusError], code: str, **more) -> None:
        try:
            client.responses.create(**({"model": "demo", "input": QUESTION} | more))
        except kind as error:
            assert error.code == code, error
        else:
            raise AssertionError(f"no {kind}")

    raises(openai.NotFoundError, "model_not_found", model="gpt-9")
    raises(openai.BadRequestError, "too_many_tokens", max_output_tokens=10**6)
    raises(openai.BadRequestError, "unsupported_value", previous_response_id="resp_1")
    raises(openai.BadRequestError, "unsupported_value", store=True)
    client = openai.OpenAI(base_url=f"{base}/v1", api_key="wrong", max_retries=0)
    raises(openai.AuthenticationError, "invalid_token")


def main() -> None:
    with running(sys.argv[1]) as base:
        client = openai.OpenAI(base_url=f"{base}/v1", api_key="sesame", max_retries=0)
        whole(client)
        streamed(client)
        tools(client)
        errors(base, client)
    print(f"openai-python {openai.__version__}, Responses: all passed")


if __name__ == "__main__":
    main()
