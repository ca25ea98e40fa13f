"""The WSGI layer around moto: credentials, the vendor's moods, and the ledger before every reply."""

import io
import re
import select
import socket
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import cycle
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from services.sandbox.knobs import Dial, Fate, S3Knobs
from services.sandbox.ledger import Entry, Ledger
from services.sandbox.s3.calls import S3Call, entries, person_of, results
from services.sandbox.s3.deleting import MalformedDeletionError, Result, render
from services.sandbox.s3.store import ObjectStore

Environ = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], object]
Reply = tuple[str, list[tuple[str, str]], bytes]

_ACCESS_KEY = re.compile(r"Credential=([^/]+)/")
_CHECKSUMS = ("HTTP_CONTENT_MD5", "HTTP_X_AMZ_SDK_CHECKSUM_ALGORITHM", "HTTP_X_AMZ_CHECKSUM_CRC32")


class S3Application:
    """A WSGI application. One call at a time holds the store's lock, so the ledger knows what each changed."""

    def __init__(self, store: ObjectStore, ledger: Ledger, dial: Dial[S3Knobs], access_key: str) -> None:
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._store, self._ledger, self._dial, self._access_key = store, ledger, dial, access_key
        self._failures = cycle((("500 Internal Server Error", "InternalError"), _SLOW))
        self.stopping = threading.Event()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request, or drop it."""
        # Whatever the answer, the body is read: the connection carries more calls, and it would be taken for the next.
        sent = _body(environ)
        environ["wsgi.input"] = io.BytesIO(sent)
        fate = self._dial.fate(f"{environ['REQUEST_METHOD']} {environ.get('PATH_INFO', '')}")
        time.sleep(self._dial.knobs.latency)
        if fate.hang:
            self._say_nothing(environ)
        status, headers, body = self._refusal(environ, fate) or self._answer(environ, sent, fate)
        if fate.hang_after:
            self._say_nothing(environ)
        if fate.drop_reply:
            _drop(environ)
        start_response(status, headers)
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]

    def _refusal(self, environ: Environ, fate: Fate) -> Reply | None:
        given = _ACCESS_KEY.search(environ.get("HTTP_AUTHORIZATION", ""))
        if given is None:
            return _error("403 Forbidden", "AccessDenied", "Access Denied")
        if given[1] != self._access_key:
            return _error("403 Forbidden", "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist.")
        if fate.rate_limit:
            wait = self._dial.knobs.rate_limit.header()
            return _error(*_SLOW, "Please reduce your request rate.", [("Retry-After", wait)] if wait else [])
        if fate.fail_5xx:
            return _error(*next(self._failures), "We encountered an internal error. Please try again.")
        return None

    def _answer(self, environ: Environ, sent: bytes, fate: Fate) -> Reply:
        try:
            call = S3Call.of(environ, sent)
        except MalformedDeletionError:
            return _error("400 Bad Request", "MalformedXML", "The XML you provided was not well-formed.")
        if call.batch and not any(name in environ for name in _CHECKSUMS):
            missing = "Missing required header for this request: Content-MD5 OR x-amz-checksum-*"
            return _error("400 Bad Request", "InvalidRequest", missing)
        if call.method == "GET" and call.key and "retention" in call.query:
            return self._retention(call)
        if not call.writes:
            with self._store.lock:
                return self._no_content(call) or self._pass_on(environ)
        if fate.lie and call.deletion:
            return self._lie(call)
        return self._carry_out(call, environ)

    def _carry_out(self, call: S3Call, environ: Environ) -> Reply:
        with self._store.lock:
            before = call.state(self._store)
            status, headers, body = self._pass_on(environ)
            after = call.state(self._store)
            if not status.startswith("2"):
                return status, headers, body
            self._ledger.extend(entries(call, before, after))
        if call.batch and call.deletion:
            return _xml(render(results(call, before, after), quiet=call.deletion.quiet))
        return status, headers, body

    def _retention(self, call: S3Call) -> Reply:
        """GetObjectRetention, which moto's server does not know."""
        wanted = call.query.get("versionId", [""])[0]
        versions = self._store.versions_of(call.bucket, call.key)
        found = next((one for one in reversed(versions) if wanted in ("", one.version_id)), None)
        if found is None:
            return _error("404 Not Found", "NoSuchKey", "The specified key does not exist.")
        if not found.mode:
            missing = "The specified object does not have a ObjectLock configuration"
            return _error("404 Not Found", "NoSuchObjectLockConfiguration", missing)
        return _xml(f"<Retention><Mode>{found.mode}</Mode><RetainUntilDate>{found.until}</RetainUntilDate></Retention>")

    def _no_content(self, call: S3Call) -> Reply | None:
        """GetObject of a delete marker by its version, which moto's server takes for a version that is not there."""
        wanted = call.query.get("versionId", [""])[0]
        versions = self._store.versions_of(call.bucket, call.key) if call.method == "GET" and wanted else []
        if not any(one.marker for one in versions if one.version_id == wanted):
            return None
        refusal = "The specified method is not allowed against this resource."
        return _error("405 Method Not Allowed", "MethodNotAllowed", refusal, [("x-amz-delete-marker", "true")])

    def _lie(self, call: S3Call) -> Reply:
        targets = call.deletion.targets if call.deletion else ()
        keep = [
            Entry("object.delete", f"{call.bucket}/{one.key}", person_of(one.key), changed=False) for one in targets
        ]
        self._ledger.extend(keep)
        if not call.batch:
            return "204 No Content", [], b""
        return _xml(render([Result(one) for one in targets], quiet=False))

    def _pass_on(self, environ: Environ) -> Reply:
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start(status: str, headers: list[tuple[str, str]], _: object = None) -> None:
            started.append((status, headers))

        body = b"".join(self._moto(environ, start))
        return *started[-1], body

    def _say_nothing(self, environ: Environ) -> None:
        """Hold the line until the client hangs up or the sandbox stops."""
        line: socket.socket = environ["werkzeug.socket"]
        while not self.stopping.is_set():
            if select.select([line], [], [], 0.2)[0] and not line.recv(1, socket.MSG_PEEK):
                break
        _drop(environ)


_SLOW = ("503 Slow Down", "SlowDown")


def _body(environ: Environ) -> bytes:
    source = environ["wsgi.input"]
    ends_by_itself = environ.get("wsgi.input_terminated", False)
    body: bytes = source.read() if ends_by_itself else source.read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["CONTENT_LENGTH"] = str(len(body))
    return body


def _drop(environ: Environ) -> None:
    """Close the connection without a reply."""
    line: socket.socket = environ["werkzeug.socket"]
    with suppress(OSError):  # the client may have left first
        line.shutdown(socket.SHUT_RDWR)
    raise ConnectionAbortedError


def _error(status: str, code: str, message: str, headers: Iterable[tuple[str, str]] = ()) -> Reply:
    _, plain, body = _xml(
        f"<Error><Code>{code}</Code><Message>{message}</Message><RequestId>SANDBOX</RequestId></Error>"
    )
    return status, [*plain, *headers], body


def _xml(element: str) -> Reply:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n{element}'.encode()
    return "200 OK", [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))], body
