"""Wires the simulators together and runs them as one process until it is told to stop."""

import asyncio
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fastapi import FastAPI, Response
from uvicorn import Config, Server

from services.sandbox import log
from services.sandbox.control import Controls, control_api
from services.sandbox.droppable import DroppableProtocol
from services.sandbox.hubspot.api import hubspot_app
from services.sandbox.hubspot.calls import HubSpot
from services.sandbox.hubspot.crm import Crm
from services.sandbox.hubspot.gate import Gate
from services.sandbox.knobs import Dial, HubSpotKnobs, OpenAIKnobs, S3Knobs, SmtpKnobs, StripeKnobs
from services.sandbox.ledger import Ledger
from services.sandbox.openai.api import openai_app
from services.sandbox.openai.belongings import AiSupplier, IdLedger
from services.sandbox.openai.calls import OpenAI
from services.sandbox.openai.gate import Gate as OpenAIGate
from services.sandbox.openai.things import Platform
from services.sandbox.population import Population
from services.sandbox.s3.application import S3Application
from services.sandbox.s3.server import S3Server
from services.sandbox.s3.store import ObjectStore
from services.sandbox.settings import SandboxSettings
from services.sandbox.smtp.mailbox import Mailbox
from services.sandbox.smtp.sink import Sink, SmtpServer
from services.sandbox.stripe.accounts import Accounts
from services.sandbox.stripe.api import stripe_app
from services.sandbox.stripe.calls import Stripe
from services.sandbox.stripe.gate import Gate as StripeGate


class Sandbox:
    """All vendors of one process. State lives in memory; ledgers and mails lie in the sandbox's folder."""

    def __init__(self, settings: SandboxSettings) -> None:
        self.settings = settings
        vendors = ("hubspot", "hubspot-us", "s3", "openai", "stripe", "smtp")
        self.ledgers = {name: Ledger(settings.dir / "ledger", name) for name in vendors}
        self._hubspot_dial, self._s3_dial, self._smtp_dial = Dial(HubSpotKnobs), Dial(S3Knobs), Dial(SmtpKnobs)
        self._account = HubSpot(Crm(), self.ledgers["hubspot"], self._hubspot_dial, settings.hubspot_token)
        us_ledger, us_dial = self.ledgers["hubspot-us"], Dial(HubSpotKnobs)
        self._us_account = HubSpot(Crm(), us_ledger, us_dial, settings.hubspot_us_token)  # filled through its API
        self._openai_dial = Dial(OpenAIKnobs)
        self._openai = OpenAI(Platform(), self.ledgers["openai"], self._openai_dial, settings.openai_token)
        self._ai = AiSupplier(self._openai.platform, IdLedger(settings.dir / "application" / "openai-ids.jsonl"))
        self._stripe = Stripe(self.ledgers["stripe"], Dial(StripeKnobs), settings.stripe_key)
        self._store = ObjectStore(settings.s3_bucket, settings.s3_region)
        self._mailbox = Mailbox(settings.dir / "mail")
        self._sink = Sink(self._mailbox, self.ledgers["smtp"], self._smtp_dial)
        self._population = Population(self._account.crm, self._store, self._ai, Accounts(self._stripe))
        self._smtp = SmtpServer(self._sink)
        self._s3: S3Server | None = None

    async def serve(self) -> None:
        """Listen on all three ports; returns after SIGTERM or SIGINT."""
        settings = self.settings
        application = S3Application(self._store, self.ledgers["s3"], self._s3_dial, settings.s3_access_key)
        self._s3 = S3Server(application, settings.host, settings.s3_port)
        smtp_port = await self._smtp.start(settings.host, settings.smtp_port)
        listener = _listen(settings.host, settings.http_port)
        ports = {"http_port": listener.getsockname()[1], "s3_port": self._s3.port, "smtp_port": smtp_port}
        config = Config(
            self.http_app(),
            http=DroppableProtocol,
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=2,
            timeout_keep_alive=75,  # as vendors do: a client closes what it does not use, and no call meets that moment
        )
        try:
            await _AnnouncingServer(config, ports).serve(sockets=[listener])
        finally:
            await self._smtp.stop()
            await asyncio.to_thread(self._s3.stop)
            for ledger in self.ledgers.values():
                ledger.close()
            log.event("sandbox.stopped")

    def http_app(self) -> FastAPI:
        """Each vendor below its path (HubSpot has two accounts), the control API below `/_sandbox`, and health."""
        app = FastAPI(title="Habeas sandbox", openapi_url="/_sandbox/openapi.json", docs_url=None, redoc_url=None)
        app.include_router(control_api(self._controls()))

        @app.get("/healthz/live")
        async def live() -> dict[str, str]:
            return {"status": "live"}

        @app.get("/healthz/ready")
        async def ready(response: Response) -> dict[str, str]:
            listening = self._s3 is not None and self._s3.listening() and self._smtp.listening()
            response.status_code = 200 if listening else 503
            return {"status": "ready" if listening else "not ready"}

        app.mount("/hubspot", Gate(hubspot_app(self._account), self._account))
        app.mount("/hubspot-us", Gate(hubspot_app(self._us_account), self._us_account))
        app.mount("/openai", OpenAIGate(openai_app(self._openai), self._openai))
        app.mount("/stripe", StripeGate(stripe_app(self._stripe), self._stripe))
        return app

    def reset(self) -> None:
        """Everything as it was at the start: nobody there, all knobs back, ledgers set aside and begun anew."""
        self._account.reset()
        self._us_account.reset()
        self._us_account.dial.turn({})
        self._store.reset()
        self._ai.clear()
        self._stripe.reset()
        self._mailbox.clear()
        self._sink.forget_tries()
        self._population.clear()
        for dial in (self._hubspot_dial, self._s3_dial, self._openai_dial, self._stripe.dial, self._smtp_dial):
            dial.turn({})
        for ledger in self.ledgers.values():
            ledger.start_afresh()

    def _controls(self) -> Controls:
        dials: dict[str, Dial[Any]] = {
            "hubspot": self._hubspot_dial,
            "hubspot-us": self._us_account.dial,
            "s3": self._s3_dial,
            "openai": self._openai_dial,
            "stripe": self._stripe.dial,
            "smtp": self._smtp_dial,
        }
        return Controls(self._population, self._mailbox, self.ledgers, dials, self.reset)


class _AnnouncingServer(Server):
    """uvicorn's server, which says when it listens, and leaves room to clean up after a signal."""

    def __init__(self, config: Config, ports: dict[str, int]) -> None:
        super().__init__(config)
        self._ports = ports

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        log.event("sandbox.ready", **self._ports)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on a signal. uvicorn's own version raises it again afterwards, which would end us before the rest."""
        loop = asyncio.get_running_loop()
        for wanted in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(wanted, self._stop)
        yield

    def _stop(self) -> None:
        self.should_exit = True


def _listen(host: str, port: int) -> socket.socket:
    # The protocol is named, or asyncio leaves Nagle on: every answer would wait 40 ms for an acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(512)
    listener.setblocking(False)
    return listener
