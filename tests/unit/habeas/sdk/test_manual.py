"""The SDK is its own manual: nothing public without a docstring, no defect that is not explained."""

import inspect
import re
from pathlib import Path

import pytest

import habeas.engine
from habeas import sdk
from habeas.sdk import errors

OF_THE_ENGINE = {"StopIteration"}  # told by the name of its class, as every other error


def methods() -> list[str]:
    names = []
    for name in sdk.__all__:
        thing = getattr(sdk, name)
        if inspect.isclass(thing) and thing.__module__.startswith("habeas.sdk"):
            names += [
                f"{name}.{each}"
                for each, method in vars(thing).items()
                if inspect.isfunction(method) and not each.startswith("_")
            ]
    return names


@pytest.mark.parametrize("name", [name for name in sdk.__all__ if inspect.isclass(getattr(sdk, name))])
def test_every_class_says_what_it_is(name: str) -> None:
    thing = getattr(sdk, name)
    assert (thing.__doc__ or "").strip()
    assert not (thing.__doc__ or "").startswith(f"{name}("), "a docstring that was made for it"


@pytest.mark.parametrize("name", methods())
def test_every_method_says_what_it_does(name: str) -> None:
    kind, _, method = name.partition(".")
    assert (getattr(getattr(sdk, kind), method).__doc__ or "").strip()


def test_every_defect_that_the_engine_finds_is_explained() -> None:
    engine = Path(habeas.engine.__file__).parent
    found = set()
    for path in engine.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        found |= set(re.findall(r'(?:Defect|_failing)\((?:run, )?"(\w+)"', text))
    assert len(found) > 10
    explained = errors.__doc__ or ""
    assert not {word for word in found - OF_THE_ENGINE if word not in explained}


def test_every_error_has_a_code_of_its_own() -> None:
    kinds: list[type[errors.ProcessorError]] = [errors.ProcessorError, *errors.ProcessorError.__subclasses__()]
    own = [kind.code for kind in kinds if kind.__module__ == errors.__name__]
    assert len(own) == len(set(own)) == 5
