"""Erases: deletes what Stripe deletes, has redacted what it only redacts, and says what stays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from habeas.sdk import Context, Disposition, Item, Result, Results, Wait
from services.connectors.processors.stripe.finding import Finder
from services.connectors.processors.stripe.redacting import MOST_ROOTS, Redaction, Root, Under, root_of, told
from services.connectors.processors.stripe.refs import ATTEMPTS, CUSTOMER, DRAFTS, RECORDS, SUBSCRIPTIONS, ref_of
from services.connectors.processors.stripe.shapes import Job, Problem, Thing
from services.connectors.processors.stripe.vendor import Api, RefusedError, path_of
from services.connectors.processors.stripe.whose import NOBODY

# Stripe redacts payments after that many days, for until then it may have to look into fraud.
ELIGIBLE_AFTER = timedelta(days=90)
UNCONFIRMED = frozenset(
    {"requires_payment_method", "requires_confirmation", "requires_action", "requires_capture", "open"}
)
ENDED = frozenset({"canceled", "incomplete_expired"})
STAYS = "cannot_be_deleted"


@dataclass
class Batch:
    """The items of one call: drafts, what goes with each customer, and records by the payment that they are about."""

    drafts: list[Item] = field(default_factory=list)
    customers: dict[str, list[Item]] = field(default_factory=dict)
    units: dict[str, list[Item]] = field(default_factory=dict)

    @classmethod
    def of(cls, items: Sequence[Item]) -> "Batch":
        """Sort the items."""
        batch = cls()
        for item in items:
            ref = ref_of(item)
            if item.category == DRAFTS:
                batch.drafts.append(item)
            elif item.category in RECORDS:
                batch.units.setdefault(ref.unit, []).append(item)
            else:
                batch.customers.setdefault(ref.customer, []).append(item)
        return batch


class Eraser:
    """Carries out one erasure in one account; `redaction` is None where the operator did not ask for it."""

    def __init__(self, ctx: Context, api: Api, finder: Finder, redaction: Redaction | None, *, poll: float) -> None:
        """Take the hands to work with; `poll` is the first wait for a job, in seconds."""
        self._ctx, self._api, self._finder, self._redaction, self._poll = ctx, api, finder, redaction, poll

    async def erase(self, items: Sequence[Item]) -> Results:
        """Delete, and begin a job for what can only be redacted; drafts go first, for they hang on the customer."""
        batch = Batch.of(items)
        results = [await self._draft(item) for item in batch.drafts]
        if self._redaction is None:
            for customer, own in batch.customers.items():
                results += await self._deleted(customer, own)
            stay = [item for unit in batch.units.values() for item in unit]
            return results + [Result(item, Disposition.REFUSED, note=STAYS) for item in stay]
        return await self._redacted(self._redaction, batch, results)

    async def look_up(self, items: Sequence[Item]) -> Wait | None:
        """Return the wait for a job over `items` whose beginning was not heard of."""
        if self._redaction is None:
            return None
        possible = {root_of(ref_of(item)) for item in items if item.category in RECORDS | {CUSTOMER}}
        found = await self._redaction.under_way(possible)
        if found is None:
            return None
        job, roots = found
        ids = {root_id for _, root_id in roots}
        units = {ref_of(item).unit for item in items if item.category in RECORDS and ref_of(item).id in ids}
        covered = [item for item in items if item.category != DRAFTS and self._covered(item, ids, units)]
        return self._under(job.id, covered, roots, []).wait(self._ctx, seconds=self._poll)

    async def resume(self, wait: Wait) -> Results:
        """Ask about the job, push it on, or tell what came of it."""
        under = Under.read(wait)
        redaction = self._redaction
        job = await redaction.job(under.job) if redaction is not None else None
        if redaction is None or job is None or job.status in ("canceled", "canceling"):
            return under.decided()  # what was to be redacted has no result, so it is begun anew
        match job.status:
            case "succeeded":
                return under.decided() + under.results(Disposition.ANONYMISED)
            case "ready":
                await redaction.run(self._ctx, job.id)
            case "failed":
                return await self._failed(redaction, job, under)
            case _:
                pass
        return under.wait(self._ctx, seconds=self._poll)

    async def _draft(self, item: Item) -> Result:
        ref = ref_of(item)
        try:
            gone = await self._api.delete(path_of(ref.path, ref.id), self._ctx.key("delete", item))
        except RefusedError:
            return Result(item, Disposition.REFUSED, note="finalised_meanwhile")
        return Result(item, Disposition.ERASED if gone else Disposition.ALREADY_DONE)

    async def _deleted(self, customer: str, own: Sequence[Item]) -> list[Result]:
        """Delete a customer, unless that was done before: then subscriptions alone are left of it."""
        results = await self._silenced(customer, own)
        rest = [item for item in own if item.category != SUBSCRIPTIONS]
        if rest:
            gone = await self._api.delete(path_of("customers", customer), self._ctx.key(f"delete:{customer}"))
            done = Disposition.ERASED if gone else Disposition.ALREADY_DONE
            results += [Result(item, done, count=item.count) for item in rest]
        return results

    async def _silenced(self, customer: str, own: Sequence[Item]) -> list[Result]:
        """Empty the subscriptions among `own` of their words: Stripe ends them with their customer, and keeps them."""
        subscriptions = [item for item in own if item.category == SUBSCRIPTIONS]
        held = await self._finder.subscriptions(customer) if subscriptions else []
        stay = {one.id for one in held if not await self._silence(one)}
        return [
            Result(item, Disposition.REFUSED, note=STAYS)
            if ref_of(item).id in stay
            else Result(item, Disposition.ANONYMISED)
            for item in subscriptions
        ]

    async def _silence(self, subscription: Thing) -> bool:
        """Empty what a subscription says; False where that can not be, for it ended: then only the comment can."""
        if not subscription.speaks:
            return True
        ended = subscription.status in ENDED
        form = [] if ended else [("description", ""), ("metadata", "")]
        form += [("cancellation_details[comment]", "")] if subscription.comment else []
        if form:
            step = ":".join(("silence", subscription.id, *(name for name, _ in form)))
            await self._api.post(path_of("subscriptions", subscription.id), form, self._ctx.key(step))
        return not (ended and subscription.tells)

    async def _redacted(self, redaction: Redaction, batch: Batch, results: list[Result]) -> Results:
        roots: list[tuple[Root, list[Item]]] = []
        free: dict[str, list[Item]] = {}
        known = await self._finder.listed([item for unit in batch.units.values() for item in unit])
        for unit in batch.units.values():
            obstacle = await self._obstacle(unit, known)
            if obstacle is not None:
                results += [_because(item, obstacle) for item in unit]
                continue
            free.setdefault(ref_of(unit[0]).customer, []).extend(unit)
        for customer, own in batch.customers.items():
            taken = free.get(customer, [])
            there = any(item.category == CUSTOMER for item in own)
            if there and await self._all_of_it(customer, taken):
                await self._end_subscriptions(customer)
                roots.append((("customers", customer), [*own, *free.pop(customer, [])]))
            else:
                results += await self._deleted(customer, own)
        for records in free.values():
            roots += _by_unit(records)
        if not roots:
            return results
        chosen = roots[:MOST_ROOTS]
        names = [root for root, _ in chosen]
        job = await redaction.begin(self._ctx, names)
        covered = [item for _, items in chosen for item in items]
        return self._under(job, covered, names, results).wait(self._ctx, seconds=self._poll)

    async def _obstacle(self, unit: Sequence[Item], known: Mapping[str, Thing]) -> Result | None:
        """Return why the records of one payment can not be redacted now, or None; ends what was only begun."""
        for item in unit:
            ref = ref_of(item)
            thing = known.get(ref.id) or await self._api.get(path_of(ref.path, ref.id))
            if thing is None:
                continue
            if thing.status in UNCONFIRMED and not ref.id.startswith("in_"):
                await self._end(item, thing)
            elif thing.status == "open":
                return Result(item, Disposition.REFUSED, note="open_invoice")
            elif thing.disputed and await self._disputed(thing):
                return Result(item, Disposition.REFUSED, note="open_dispute")
            elif (
                item.category != ATTEMPTS
                and thing.dated is not None
                and thing.dated + ELIGIBLE_AFTER > self._ctx.today()
            ):
                until = thing.dated + ELIGIBLE_AFTER
                return Result(item, Disposition.RETAINED, ground="fraud_prevention", until=until)
        return None

    async def _end(self, item: Item, thing: Thing) -> None:
        """Cancel an intent that was never confirmed, and expire a checkout that is open."""
        path = path_of(ref_of(item).path, thing.id, "expire" if thing.status == "open" else "cancel")
        await self._api.post(path, (), self._ctx.key("end", item))

    async def _disputed(self, charge: Thing) -> bool:
        disputes = [one async for one in self._api.every(path_of("disputes"), [("charge", charge.id)])]
        return any(one.status not in ("won", "lost", "warning_closed") for one in disputes)

    async def _all_of_it(self, customer: str, taken: Sequence[Item]) -> bool:
        """Whether everything that a customer paid is to go: then, and only then, the customer itself may be the root.

        A redaction takes along all that hangs on its root, what law keeps included.
        """
        held = (await self._finder.records(customer)).items(lambda *_: NOBODY)
        return {item.ref for item in held} <= {item.ref for item in taken}

    async def _end_subscriptions(self, customer: str) -> None:
        """Cancel a customer's subscriptions, for they block a redaction, once they say nothing any more."""
        for one in await self._finder.subscriptions(customer):
            await self._silence(one)
            if one.status not in ENDED:
                await self._api.delete(path_of("subscriptions", one.id), self._ctx.key(f"cancel:{one.id}"))

    async def _failed(self, redaction: Redaction, job: Job, under: Under) -> Results:
        """Take what validation found: another job in the way is waited for, anything else is told of each item."""
        problems = await redaction.problems(job.id)
        if any(one.code == "locked_by_other_job" for one in problems):
            await redaction.validate(self._ctx, job.id, time=under.polls)
            return under.wait(self._ctx, seconds=self._poll)
        if not problems:  # nothing to tell and nothing to mend: it is tried again, until a person is asked
            await redaction.validate(self._ctx, job.id, time=under.polls)
            return under.wait(self._ctx, seconds=self._poll)
        blocked = _blocked(under, problems)
        await redaction.cancel(self._ctx, job)
        results = under.decided()
        for customer in under.customers:
            own = [one.item for one in under.results(Disposition.ERASED) if ref_of(one.item).unit == customer]
            results += await self._deleted(customer, own)
        return results + blocked

    def _under(self, job: str, items: Sequence[Item], roots: Sequence[Root], done: Sequence[Result]) -> Under:
        names = [(item.category, item.ref) for item in items]
        return Under(job, self._ctx.now().isoformat(), names, list(roots), told(done))

    @staticmethod
    def _covered(item: Item, ids: set[str], units: set[str]) -> bool:
        ref = ref_of(item)
        return ref.customer in ids or ref.id in ids or ref.unit in units


def _by_unit(records: Sequence[Item]) -> list[tuple[Root, list[Item]]]:
    """Return one root for each payment: the invoice if there is one, for redaction takes along what belongs to it."""
    units: dict[str, list[Item]] = {}
    for item in records:
        units.setdefault(ref_of(item).unit, []).append(item)
    return [(root_of(ref_of(items[0])), items) for items in units.values()]


def _because(item: Item, obstacle: Result) -> Result:
    return Result(item, obstacle.disposition, ground=obstacle.ground, until=obstacle.until, note=obstacle.note)


def _blocked(under: Under, problems: Sequence[Problem]) -> list[Result]:
    """Return a refusal with the vendor's word for each record that a problem names.

    Where none is named, all are refused; unless a customer was among the roots: its records are tried by themselves.
    """
    codes = {one.erroring_object.id: one.code for one in problems if one.erroring_object is not None}
    records = [one for one in under.results(Disposition.REFUSED) if one.item.category in RECORDS]
    units = {ref_of(one.item).unit: codes[ref_of(one.item).id] for one in records if ref_of(one.item).id in codes}
    units |= {ref_of(one.item).unit: codes[ref_of(one.item).unit] for one in records if ref_of(one.item).unit in codes}
    if not units and not under.customers:
        units = {ref_of(one.item).unit: problems[0].code for one in records}
    return [
        Result(one.item, one.disposition, note=units[ref_of(one.item).unit])
        for one in records
        if ref_of(one.item).unit in units
    ]
