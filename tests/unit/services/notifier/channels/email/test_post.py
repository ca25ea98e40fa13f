"""What each answer of a mail server, and each silence, comes to. The server here says exactly what it is told."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from habeas.vocabulary import Language
from services.chassis.clock import SystemClock
from services.notifier.channels.email.composing import Composing
from services.notifier.channels.email.post import Post
from services.notifier.channels.email.server import Server
from services.notifier.domain.notices import Bounced, Later, Sent, Unknown, Verdict
from services.notifier.handlers.ports import Letter

HANG_UP = "hang up"
SILENT = "silent"


@dataclass
class Script:
    """Replies by command; "." is the final dot, "greeting" comes first. Anything not scripted is accepted."""

    replies: dict[str, list[str]] = field(default_factory=dict)
    heard: list[str] = field(default_factory=list)
    connections: int = 0
    ports: list[int] = field(default_factory=list)
    extensions: Sequence[str] = ()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            going = await self._say(writer, "greeting", "220 mail.example")
            while going and (line := await reader.readline()):
                verb = line.decode().split(maxsplit=1)[0].upper()
                self.heard.append(line.decode().strip())
                if verb == "DATA":
                    going = await self._say(writer, "DATA", "354 go on")
                    if going and self.heard[-1] == "DATA" and not self.refused:
                        await reader.readuntil(b"\r\n.\r\n")
                        self.heard.append(".")
                        going = await self._say(writer, ".", "250 2.0.0 kept")
                elif verb == "EHLO":
                    lines = ["mail.example", *self.extensions]
                    text = "\r\n".join(f"250{' ' if one is lines[-1] else '-'}{one}" for one in lines)
                    going = await self._say(writer, verb, text)
                else:
                    going = (
                        await self._say(writer, verb, "221 bye" if verb == "QUIT" else "250 fine") and verb != "QUIT"
                    )
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    refused: bool = False

    async def _say(self, writer: asyncio.StreamWriter, verb: str, otherwise: str) -> bool:
        queue = self.replies.get(verb, [])
        reply = queue.pop(0) if queue else otherwise
        self.refused = not reply.startswith("354") if verb == "DATA" else self.refused
        if reply == HANG_UP:
            writer.transport.abort()
            return False
        if reply != SILENT:
            writer.write(f"{reply}\r\n".encode())
            await writer.drain()
        return True

    def said(self, verb: str) -> int:
        return sum(line.upper().startswith(verb) for line in self.heard)


@asynccontextmanager
async def post_with(script: Script, *, timeout: float = 5.0, data_timeout: float = 5.0) -> AsyncIterator[Post]:
    server = await asyncio.start_server(script.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    composing = Composing(name="Example", address="privacy@example.org", reply_to="", clock=SystemClock())
    at = Server("127.0.0.1", port, starttls=False, hostname="example.org", timeout=timeout, data_timeout=data_timeout)
    post = Post(at, composing)
    try:
        yield post
    finally:
        await post.close()
        server.close()


def letter(to: str = "jane@example.com") -> Letter:
    return Letter("ntc_01M7W4N5E0HEV9329RDEEQ8F70", to, Language.ENGLISH, "Your request", "Hello\n", "<p>Hello</p>")


async def yes() -> bool:
    return True


async def no() -> bool:
    return False


BEFORE_DATA: list[tuple[str, str, Verdict]] = [
    ("greeting", "421 4.3.2 not now", Later("SMTPConnectResponseError")),
    ("greeting", HANG_UP, Later("SMTPConnectError")),
    ("MAIL", "451 4.3.0 not now", Later("4.3.0")),
    ("MAIL", "550 5.7.1 who are you", Later("5.7.1")),  # it is about us: it must not bounce everybody's notice
    ("MAIL", HANG_UP, Later("SMTPServerDisconnected")),
    ("RCPT", "450 4.7.1 greylisted", Later("4.7.1")),
    ("RCPT", "451 try again", Later("smtp_451")),
    ("RCPT", "550 5.1.1 nobody of that name", Bounced("5.1.1")),
    ("RCPT", "554 no", Bounced("smtp_554")),
    ("RCPT", "554 5.7.1 relay access denied", Later("5.7.1")),  # it is about us, and nothing is wrong with the address
    ("RCPT", "550 4.1.1 contradicts itself", Bounced("smtp_550")),
    ("RCPT", HANG_UP, Later("SMTPServerDisconnected")),
    ("RCPT", "gibberish", Later("smtp_-1")),
]


@pytest.mark.parametrize(("verb", "reply", "verdict"), BEFORE_DATA)
async def test_before_data_nothing_has_left(verb: str, reply: str, verdict: Verdict) -> None:
    script = Script({verb: [reply]})
    async with post_with(script) as post:
        assert await post.deliver(letter(), yes) == verdict
        assert script.said("DATA") == 0
        assert await post.deliver(letter(), yes) == Sent()


AFTER_DATA: list[tuple[str, str, Verdict]] = [
    ("DATA", "451 4.3.0 not now", Later("4.3.0")),
    ("DATA", "554 5.7.1 no", Bounced("5.7.1")),
    ("DATA", HANG_UP, Unknown("connection_lost")),
    ("DATA", "gibberish", Unknown("malformed_reply")),
    (".", "250 2.0.0 kept", Sent()),
    (".", "451 4.3.0 not now", Later("4.3.0")),
    (".", "421 4.3.2 closing", Later("4.3.2")),
    (".", "552 5.3.4 too big", Bounced("5.3.4")),
    (".", HANG_UP, Unknown("connection_lost")),
    (".", "gibberish", Unknown("malformed_reply")),
    (".", "354 what", Unknown("malformed_reply")),
]


@pytest.mark.parametrize(("verb", "reply", "verdict"), AFTER_DATA)
async def test_after_data_a_reply_is_certain_and_silence_is_unknown(verb: str, reply: str, verdict: Verdict) -> None:
    script = Script({verb: [reply]})
    async with post_with(script) as post:
        assert await post.deliver(letter(), yes) == verdict
        assert script.said("DATA") == 1
        assert await post.deliver(letter(), yes) == Sent()


async def test_a_server_that_says_nothing_after_the_final_dot_is_given_up_as_unknown() -> None:
    async with post_with(Script({".": [SILENT]}), data_timeout=0.1) as post:
        assert await post.deliver(letter(), yes) == Unknown("timeout")


async def test_a_server_that_says_nothing_before_data_is_tried_again_later() -> None:
    script = Script({"RCPT": [SILENT]})
    async with post_with(script, timeout=1.0) as post:
        assert await post.deliver(letter(), yes) == Later("SMTPReadTimeoutError")
        assert post.reachable is False
        assert await post.deliver(letter(), yes) == Sent()
        assert post.reachable is True


async def test_nothing_leaves_without_leave() -> None:
    script = Script()
    async with post_with(script) as post:
        assert await post.deliver(letter(), no) == Later("taken_over")
        assert script.said("DATA") == 0
        assert await post.deliver(letter(), yes) == Sent()
        assert script.connections == 1


async def test_letters_share_a_connection() -> None:
    script = Script()
    async with post_with(script) as post:
        for _ in range(5):
            assert await post.deliver(letter(), yes) == Sent()
    assert script.connections == 1
    assert script.heard[-1] == "QUIT"


async def test_a_kept_connection_that_died_costs_no_try() -> None:
    script = Script({"MAIL": ["250 fine", HANG_UP]})
    async with post_with(script) as post:
        assert await post.deliver(letter(), yes) == Sent()
        assert await post.deliver(letter(), yes) == Sent()
    assert script.connections == 2


async def test_each_mail_names_one_recipient() -> None:
    script = Script()
    async with post_with(script) as post:
        assert await post.deliver(letter("a@example.com, b@example.com"), yes) == Bounced("malformed_address")
        assert await post.deliver(letter("a@example.com\r\nRCPT TO:<b@example.com>"), yes) == Bounced(
            "malformed_address"
        )
        assert script.heard == []
        await post.deliver(letter(), yes)
    assert [line for line in script.heard if line.startswith("RCPT")] == ["RCPT TO:<jane@example.com>"]


async def test_an_international_address_needs_a_server_that_takes_it() -> None:
    script = Script()
    async with post_with(script) as post:
        assert await post.deliver(letter("jörg@example.com"), yes) == Bounced("5.6.7")
    able = Script(extensions=("SMTPUTF8", "8BITMIME"))
    async with post_with(able) as post:
        assert await post.deliver(letter("jörg@example.com"), yes) == Sent()
    assert "MAIL FROM:<privacy@example.org> SMTPUTF8 BODY=8BITMIME" in able.heard


async def test_an_absent_server_is_waited_for() -> None:
    composing = Composing(name="Example", address="privacy@example.org", reply_to="", clock=SystemClock())
    post = Post(Server("127.0.0.1", 1, starttls=False, hostname="example.org"), composing)
    assert await post.deliver(letter(), yes) == Later("SMTPConnectError")
