"""The calls in the groups that users type (`habeas.requests.file`), declared once for both clients."""

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, overload

from pydantic import BaseModel

from habeas.client import operations
from habeas.client.models import Page
from habeas.client.operations import Download, Operation
from habeas.client.packages import AsyncPackage, AwaitedDoor, BlockingDoor, Package

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")
P = ParamSpec("P")


class Blocking(BlockingDoor, Protocol):
    """A client whose calls wait for their answer."""

    def send(self, operation: Operation[M]) -> M:
        """Carry an operation out."""

    def each(self, operation: Operation[Page[T]]) -> Iterator[T]:
        """Go through a list page by page."""


class Awaited(AwaitedDoor, Protocol):
    """A client whose calls are awaited."""

    async def send(self, operation: Operation[M]) -> M:
        """Carry an operation out."""

    def each(self, operation: Operation[Page[T]]) -> AsyncIterator[T]:
        """Go through a list page by page."""


ClientT = TypeVar("ClientT", Blocking, Awaited)


class Group(Generic[ClientT]):
    """Calls that belong together, bound to one client."""

    def __init__(self, client: ClientT) -> None:
        """Send everything through `client`."""
        self.client: ClientT = client


class Call(Generic[P, M]):
    """A method made of an operation: its parameters, its docstring; what it returns follows the client's kind."""

    def __init__(self, operation: Callable[P, Operation[M]]) -> None:
        """Wrap `operation`."""
        self._operation = operation

    @overload
    def __get__(self, group: Group[Blocking], owner: object) -> Callable[P, M]: ...
    @overload
    def __get__(self, group: Group[Awaited], owner: object) -> Callable[P, Coroutine[Any, Any, M]]: ...
    def __get__(self, group: Group[Any], owner: object) -> Callable[P, Any]:
        """Return the method, bound to the group's client."""

        @wraps(self._operation)
        def method(*args: P.args, **kwargs: P.kwargs) -> Any:
            return group.client.send(self._operation(*args, **kwargs))

        return method


class Each(Generic[P, T]):
    """A method that goes through all pages of a list."""

    def __init__(self, operation: Callable[P, Operation[Page[T]]]) -> None:
        """Wrap `operation`."""
        self._operation = operation

    @overload
    def __get__(self, group: Group[Blocking], owner: object) -> Callable[P, Iterator[T]]: ...
    @overload
    def __get__(self, group: Group[Awaited], owner: object) -> Callable[P, AsyncIterator[T]]: ...
    def __get__(self, group: Group[Any], owner: object) -> Callable[P, Any]:
        """Return the method, bound to the group's client."""

        @wraps(self._operation)
        def method(*args: P.args, **kwargs: P.kwargs) -> Any:
            return group.client.each(self._operation(*args, **kwargs))

        return method


class Fetched(Generic[P]):
    """A method that returns a package, to be fetched in the way of the client's kind."""

    def __init__(self, download: Callable[P, Download]) -> None:
        """Wrap `download`."""
        self._download = download

    @overload
    def __get__(self, group: Group[Blocking], owner: object) -> Callable[P, Package]: ...
    @overload
    def __get__(self, group: Group[Awaited], owner: object) -> Callable[P, AsyncPackage]: ...
    def __get__(self, group: Group[Any], owner: object) -> Callable[P, Any]:
        """Return the method, bound to the group's client."""

        @wraps(self._download)
        def method(*args: P.args, **kwargs: P.kwargs) -> Any:
            kind = AsyncPackage if iscoroutinefunction(group.client.open) else Package
            return kind(group.client, self._download(*args, **kwargs))

        return method


class Requests(Group[ClientT]):
    """File requests and follow them."""

    file = Call(operations.file)
    file_many = Call(operations.file_many)
    get = Call(operations.get_request)
    list = Each(operations.list_requests)
    page = Call(operations.list_requests)
    tasks = Each(operations.list_tasks)
    timeline = Each(operations.list_timeline)
    recipients = Each(operations.list_recipients)
    package = Fetched(operations.get_package)
    cancel = Call(operations.cancel_request)
    retry = Call(operations.retry_request)
    confirm_identities = Call(operations.confirm_identities)


class Tasks(Group[ClientT]):
    """Repair single tasks."""

    retry = Call(operations.retry_task)
    skip = Call(operations.skip_task)


class Processors(Group[ClientT]):
    """Admit processors, approve what they ask for, rotate their secrets, retire them."""

    list = Each(operations.list_processors)
    enrol = Call(operations.enrol_processor)
    retire = Call(operations.retire_processor)
    approve = Call(operations.approve_processor)
    rotate = Call(operations.rotate_processor)
    revoke = Call(operations.revoke_processor)


class DeadLetters(Group[ClientT]):
    """Look at records that could not be taken, and decide on them."""

    list = Each(operations.list_dead_letters)
    page = Call(operations.list_dead_letters)
    get = Call(operations.get_dead_letter)
    redrive = Call(operations.redrive_dead_letter)
    discard = Call(operations.discard_dead_letter)


class Consumers(Group[ClientT]):
    """See which consumers halted, and let them go on."""

    list = Each(operations.list_consumers)
    resume = Call(operations.resume_consumer)
