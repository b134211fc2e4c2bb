"""The rule-based generator: it stands where a model would, behind the OpenAI-compatible API.

It answers the three requests of the pipeline by rules: a composition with a worked problem of the
concepts that it names, an exercise with its solution, and a grading with a verdict. What it needs it
reads from the prompt, as a model would; the few-shot examples it does not use. One reply in `SLIPS`
ends with a wrong result, so that validation has something to find. A prompt always gets the same
reply.
"""

import asyncio
import hashlib
import json
import random
import re

import families

NAME = "rule-based-generator"
# One written solution in so many ends with a wrong result.
SLIPS = 40
EXERCISE, REFERENCE, STUDENT = "Exercise:\n", "\n\nReference solution:\n", "\n\nSolution of the student:\n"
EQUATION = re.compile(r"(\d+) ([-+*/]) (\d+) = (\d+)")
ANSWER = re.compile(r"The answer is (-?\d+)\.")


def seeded(text):
    return random.Random(int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big"))


def written(topics, points):
    """A new problem of these concepts, as the reply to a composition."""
    rng = seeded("\n".join(["seed", *topics, "with", *points]))
    settings = [name for name in topics if name in families.SETTINGS]
    names = [name for name in points if name in families.BY_NAME]
    return families.problem(rng, names, settings, slip=rng.randrange(SLIPS) == 0)


def listed(prompt, heading):
    """The lines "- name" below the line that ends with this."""
    lines = prompt.split(heading, 1)[1].lstrip("\n").split("\n")
    names = []
    for line in lines:
        if not line.startswith("- "):
            break
        names.append(line[2:])
    return names


def compose(prompt):
    topics, points = listed(prompt, "within these topics:"), listed(prompt, "knowledge points together:")
    if not any(name in families.BY_NAME for name in points):
        return "I know none of these knowledge points."
    try:
        made = written(topics, points)
    except ValueError:
        return "I find no numbers that suit all these knowledge points."
    return f"Question: {made.question}\nSolution: {made.solution}"


def solution(question):
    return families.solve(question) or "I do not understand this exercise."


def holds(equation):
    left, sign, right, result = equation
    return families.OPERATIONS[sign](int(left), int(right)) == int(result)


def grade(prompt):
    body = prompt.split(EXERCISE, 1)[1]
    question, rest = body.split(REFERENCE, 1)
    student = rest.split(STUDENT, 1)[1].split("\n\nSay in one", 1)[0]
    known = solution(question)
    expected, given = ANSWER.findall(known), ANSWER.findall(student)
    right = bool(expected) and given == expected and all(map(holds, EQUATION.findall(student)))
    return f"The result should be {expected[-1] if expected else 'another one'}.\nVerdict: {'correct' if right else 'incorrect'}"


def reply(prompt):
    """What the generator says to a prompt."""
    if "within these topics:" in prompt:
        return compose(prompt)
    if REFERENCE in prompt:
        return grade(prompt)
    if EXERCISE in prompt:
        return solution(prompt.split(EXERCISE, 1)[1].split("\n", 1)[0])
    return "I only write, solve and grade exercises."


def body(request):
    """The response to a request as JSON."""
    prompt = request["messages"][-1]["content"]
    text = reply(prompt)
    usage = {"prompt_tokens": len(prompt) // 4, "completion_tokens": len(text) // 4}
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return {"id": "reply", "object": "chat.completion", "created": 0, "model": NAME, "choices": [choice], "usage": usage}


async def connection(reader, writer):
    """Requests of one client, one after the other."""
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            length = re.search(r"(?i)^content-length: *(\d+)", head, re.M)
            data = await reader.readexactly(int(length.group(1))) if length else b""
            status, answer = answered(head.split(" ", 2)[1], data)
            payload = json.dumps(answer).encode()
            writer.write(f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(payload)}\r\n\r\n".encode() + payload)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


def answered(path, data):
    if path.endswith("/chat/completions"):
        try:
            return "200 OK", body(json.loads(data))
        except (KeyError, IndexError, TypeError, ValueError) as error:
            return "400 Bad Request", {"error": {"message": f"{type(error).__name__}: {error}"}}
    if path.endswith("/models"):
        return "200 OK", {"object": "list", "data": [{"id": NAME, "object": "model"}]}
    return "404 Not Found", {"error": {"message": f"there is no {path} here"}}


async def serve():
    """Serves on a free port of loopback, which is printed, until the process is ended."""
    server = await asyncio.start_server(connection, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve())
