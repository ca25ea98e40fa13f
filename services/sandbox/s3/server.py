"""The HTTP server for S3: werkzeug's, as moto wants it, in a thread of its own."""

import threading

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import BaseWSGIServer, make_server

from services.sandbox.s3.application import S3Application


class S3Server:
    """Listens from the moment it is made."""

    def __init__(self, application: S3Application, host: str, port: int) -> None:
        self._application = application
        self._server: BaseWSGIServer = make_server(
            host, port, application, threaded=True, request_handler=MotoRequestHandler
        )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="s3", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._server.port

    def listening(self) -> bool:
        """Whether it still serves."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Stop serving; calls that hang are cut."""
        self._application.stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
