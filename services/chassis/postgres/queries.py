"""Reads SQL from files: each query has a name and a sentence, and a diff of it reads as SQL."""

import re
from collections.abc import Iterator, Mapping
from importlib import resources

_NAME = re.compile(r"^-- name: ([a-z][a-z0-9_]*)\s*$", re.MULTILINE)


class MalformedQueries(ValueError):
    """A file of queries is wrong; the message names the file and the query."""


class Queries(Mapping[str, str]):
    """Named queries of one or more files. A wrong name fails when the module is imported, not at night."""

    def __init__(self, queries: Mapping[str, str]) -> None:
        """Hold `queries` by name."""
        self._queries = dict(queries)

    @classmethod
    def load(cls, package: str, *files: str) -> "Queries":
        """Read `files` that lie in `package`; raise `MalformedQueries`."""
        found: dict[str, str] = {}
        for file in files:
            text = resources.files(package).joinpath(file).read_text(encoding="utf-8")
            for name, query in parse(file, text):
                if name in found:
                    msg = f"{file}: the query {name} stands twice"
                    raise MalformedQueries(msg)
                found[name] = query
        return cls(found)

    def __getitem__(self, name: str) -> str:
        """Return the SQL of a query."""
        return self._queries[name]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names."""
        return iter(self._queries)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._queries)


def parse(file: str, text: str) -> Iterator[tuple[str, str]]:
    """Yield name and SQL of each query: `-- name: x`, then `-- a sentence`, then the statement."""
    pieces = _NAME.split(text)
    for name, body in zip(pieces[1::2], pieces[2::2], strict=True):
        query = body.strip()
        if not query.startswith("--"):
            msg = f"{file}: say in a comment below its name what the query {name} does"
            raise MalformedQueries(msg)
        if all(line.lstrip().startswith("--") for line in query.splitlines()):
            msg = f"{file}: the query {name} has no statement"
            raise MalformedQueries(msg)
        yield name, query.rstrip(";")
