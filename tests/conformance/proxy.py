"""A server before a vendor that is not reached by `Http`: calls pass as httpx requests, so that faults befall them."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

# What belongs to one connection and not to the call.
HOP = {"connection", "host", "transfer-encoding", "keep-alive"}


@contextmanager
def before(upstream: str, transport: Callable[[], httpx.AsyncBaseTransport]) -> Iterator[str]:
    """Yield the address of a server that passes calls on to `upstream` through what `transport` makes for each."""

    class Passing(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1  # an answer is one packet: in two, the second would wait for the first one's receipt

        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline(65_537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = [(name, value) for name, value in self.headers.items() if name.lower() not in HOP]
            request = httpx.Request(self.command, f"{upstream}{self.path}", headers=headers, content=body)
            try:
                response = asyncio.run(_answer(transport(), request, self.connection))
            except (httpx.TransportError, asyncio.CancelledError):
                self.close_connection = True  # as a network does: no answer at all
                return
            with suppress(OSError):  # the client may have left
                self._send(*response)

        def _send(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
            self.send_response_only(status)
            for name, value in headers:
                if name.decode().lower() not in HOP | {"content-length"}:
                    self.send_header(name.decode(), value.decode())
            length = dict(headers).get(b"content-length", b"0") if self.command == "HEAD" else b"%d" % len(body)
            self.send_header("Content-Length", length.decode())
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)
            self.wfile.flush()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Passing)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


async def _answer(
    transport: httpx.AsyncBaseTransport, request: httpx.Request, client: socket.socket
) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Return the answer's parts; raise CancelledError when the client leaves before there is one."""
    loop = asyncio.get_running_loop()
    this = asyncio.current_task()
    assert this is not None
    loop.add_reader(client, this.cancel)  # it sends nothing before it has its answer: so it has left
    try:
        async with transport:
            response = await transport.handle_async_request(request)
            body = b"".join([chunk async for chunk in response.aiter_raw()])
            await response.aclose()
        return response.status_code, response.headers.raw, body
    finally:
        loop.remove_reader(client)
