"""A stand-in for each of the four services: keeps the promises that the local stack relies on, and does no work.

The tests put it at `services/<name>/__main__.py`; which service it is, its folder says.
"""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

NAME = Path(__file__).parent.name


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        processors = [{"id": name, "state": "announced"} for name in ("crm-eu", "files", "billing", "ai")]
        self.answer({"data": processors, "mark": os.environ.get("MARK")})

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.answer(
            {"processor": asked["id"], "kind": asked["kind"], "enrolment": "enr_1", "version": 1, "secret": "s"}
        )

    def answer(self, body: Any) -> None:
        content = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def main(verb: str) -> None:
    match verb:
        case "migrate":
            print("migrating with", os.environ["HABEAS_POSTGRES_URL"].partition(":")[0])
        case "bootstrap-key":
            print(json.dumps({"client": "c", "id": "k", "secret": f"hab_test_{os.getpid()}"}))
        case "notifier-key":
            print(json.dumps({"processor": "notifier", "kind": "notifier", "version": 1}))
        case "serve":
            if os.environ.get("FAIL") == NAME:
                sys.exit(3)
            port = os.environ["HABEAS_SANDBOX_HTTP_PORT" if NAME == "sandbox" else "HABEAS_HTTP_PORT"]
            ThreadingHTTPServer(("127.0.0.1", int(port)), Handler).serve_forever()


if __name__ == "__main__":
    main(sys.argv[1])
