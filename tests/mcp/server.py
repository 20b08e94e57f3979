"""An MCP server of the official Python SDK: over HTTP on a port, or over stdio without one.

    server.py [PORT]
"""

import asyncio
import base64
import sys
from typing import Annotated, Any

import pydantic
from mcp.server import MCPServer
from mcp.server.mcpserver import Context, Image

server = MCPServer("chatcore-tests", version="1.2.3", instructions="Add numbers with add.")


class Sum(pydantic.BaseModel):
    """A sum, for programs to read."""

    total: int
    terms: list[int]


@server.tool()
def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


@server.tool()
def total(terms: list[int]) -> Sum:
    """Adds many numbers."""
    return Sum(total=sum(terms), terms=terms)


@server.tool()
def fail(why: str) -> str:
    """Fails."""
    raise ValueError(why)


@server.tool()
def dot() -> Image:
    """A picture."""
    return Image(data=base64.b64decode("R0lGODlhAQABAAAAACwAAAAAAQABAAA="), format="gif")


@server.tool()
async def count(to: int, ctx: Context) -> str:
    """Counts, and reports each number as progress."""
    for number in range(to):
        await ctx.report_progress(number + 1, to)
    return f"counted to {to}"


@server.tool(name="名前.tool/a b")
def odd(text: Annotated[str, pydantic.Field(json_schema_extra={"x-mcp-header": "Text"})]) -> str:
    """A tool whose name and argument are repeated in headers."""
    return text[::-1]


@server.tool()
async def hang() -> str:
    """Never ends by itself."""
    await asyncio.sleep(3600)
    return "late"


if __name__ == "__main__":
    options: dict[str, Any] = {}
    if len(sys.argv) > 1:
        options = {"transport": "streamable-http", "host": "127.0.0.1", "port": int(sys.argv[1])}
    server.run(**options)
