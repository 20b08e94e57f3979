"""Makes one chat, to measure start-up. once.py PEER URL"""

import sys

peer, url = sys.argv[1:]
messages = [{"role": "user", "content": "Why is the sky blue?"}]
if peer == "openai-python":
    import openai

    client = openai.OpenAI(base_url=url, api_key="sk-bench")
    answer = client.chat.completions.create(
        model="bench", messages=messages, temperature=0, max_tokens=256
    )
    print(answer.choices[0].message.content, flush=True)
elif peer == "litellm":
    import litellm

    answer = litellm.completion(
        model="openai/bench",
        api_base=url,
        api_key="sk-bench",
        messages=messages,
        temperature=0,
        max_tokens=256,
    )
    print(answer.choices[0].message.content, flush=True)
else:
    import httpx

    answer = httpx.post(
        f"{url}/chat/completions",
        headers={"authorization": "Bearer sk-bench"},
        json={"model": "bench", "messages": messages, "temperature": 0, "max_tokens": 256},
    )
    print(answer.text, flush=True)
