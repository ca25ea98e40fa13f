"""The control API below `/_sandbox`: people in, knobs, ledgers, mails, and the truth about what is left."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from services.sandbox.knobs import KINDS, Dial
from services.sandbox.ledger import Ledger
from services.sandbox.people import invent
from services.sandbox.population import PeopleExistError, Population, Resident
from services.sandbox.smtp.mailbox import Mailbox
from services.sandbox.stripe.kinds_of_payer import PAYERS


def _known_payer(name: str) -> str:
    if name not in PAYERS:
        raise ValueError("nobody pays in this way")
    return name


class Wanted(BaseModel):
    """How many people, of which seed, how many with an object under retention, and how they pay if all pay alike."""

    model_config = ConfigDict(extra="forbid")

    count: Annotated[int, Field(ge=1, le=20_000)] = 25
    seed: int = 1
    locked: Annotated[int, Field(ge=0)] = 0
    payer: Annotated[str, AfterValidator(_known_payer)] | None = None


@dataclass
class Controls:
    """What the control API reaches."""

    population: Population
    mailbox: Mailbox
    ledgers: dict[str, Ledger]
    dials: dict[str, Dial[Any]]
    reset: Callable[[], None]


def control_api(controls: Controls) -> APIRouter:
    """The routes; all of them run on the event loop, as the CRM's state wants."""
    api = APIRouter(prefix="/_sandbox")
    _people_routes(api, controls)
    _knob_routes(api, controls)
    _record_routes(api, controls)
    return api


def _people_routes(api: APIRouter, controls: Controls) -> None:
    population = controls.population

    def resident(customer_id: str) -> Resident:
        found = population.residents.get(customer_id)
        if found is None:
            raise HTTPException(404, "no such person")
        return found

    @api.post("/people", status_code=201)
    async def add_people(wanted: Wanted) -> dict[str, Any]:
        try:
            arrived = population.settle(invent(wanted.count, wanted.seed, wanted.locked, wanted.payer))
        except PeopleExistError:
            raise HTTPException(409, "people of this seed are there already; reset or take another seed") from None
        return {"people": [one.as_json() for one in arrived]}

    @api.get("/people")
    async def list_people() -> dict[str, Any]:
        return {"people": [one.as_json() for one in population.residents.values()]}

    @api.get("/people/{customer_id}/remains")
    async def remains(customer_id: str) -> dict[str, int]:
        return population.remains(resident(customer_id))

    @api.get("/people/{customer_id}/phones")
    async def phones(customer_id: str) -> dict[str, list[str]]:
        return population.phones(resident(customer_id))

    @api.get("/state/digest")
    async def digest(except_: Annotated[str, Query(alias="except")] = "") -> dict[str, Any]:
        return population.digests(except_.split(","))

    @api.get("/hubspot/blocklist")
    async def blocklist(email: str) -> dict[str, bool]:
        return {"blocked": population.crm.is_blocked(email)}


def _knob_routes(api: APIRouter, controls: Controls) -> None:
    def dial(vendor: str) -> Dial[Any]:
        if vendor not in KINDS:
            raise HTTPException(404, f"no such vendor; there are {', '.join(KINDS)}")
        return controls.dials[vendor]

    @api.put("/knobs/{vendor}")
    async def turn(vendor: str, wanted: dict[str, Any]) -> dict[str, Any]:
        try:
            knobs: BaseModel = dial(vendor).turn(wanted)
        except ValidationError as error:
            raise HTTPException(422, error.errors(include_url=False, include_context=False)) from None
        return knobs.model_dump()

    @api.get("/knobs/{vendor}")
    async def read(vendor: str) -> dict[str, Any]:
        knobs: BaseModel = dial(vendor).knobs
        return {**knobs.model_dump(), "happened": dial(vendor).happened}

    @api.get("/knobs")
    async def read_all() -> dict[str, Any]:
        return {vendor: one.knobs.model_dump() for vendor, one in controls.dials.items()}

    @api.delete("/knobs/{vendor}", status_code=204)
    async def turn_back(vendor: str) -> None:
        dial(vendor).turn({})

    @api.delete("/knobs", status_code=204)
    async def turn_all_back() -> None:
        for one in controls.dials.values():
            one.turn({})


def _record_routes(api: APIRouter, controls: Controls) -> None:
    @api.get("/ledger/{vendor}")
    async def ledger(vendor: str) -> dict[str, Any]:
        if vendor not in controls.ledgers:
            raise HTTPException(404, "no such vendor")
        return {"effects": controls.ledgers[vendor].read()}

    @api.get("/mails")
    async def mails(to: str | None = None) -> dict[str, Any]:
        return {"mails": [one.as_json() for one in controls.mailbox.mails(to)]}

    @api.post("/reset", status_code=204)
    async def reset() -> None:
        controls.reset()
