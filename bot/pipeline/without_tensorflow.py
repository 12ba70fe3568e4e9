"""Rasa without TensorFlow: none of our components uses it, and Rasa imports it all the same.

To import it takes more than half of the assistant's start, and 500 MB. Call `install` before the
first import of Rasa; in its place come modules whose attributes are all one class without any
power. A pipeline that does need TensorFlow fails when its model is loaded.
"""

import importlib.abc
import importlib.machinery
import sys
import types
from typing import Any

ABSENT = frozenset(
    {"tensorflow", "tensorflow_addons", "tensorflow_hub", "tensorflow_text", "keras", "jax"}
)


class _Hollow(type):
    """Has every attribute, so that Rasa's class bodies and annotations can name them."""

    def __getattr__(cls, name: str) -> "type[Hollow]":
        if name.startswith("__"):
            raise AttributeError(name)
        return Hollow


class Hollow(metaclass=_Hollow):
    """Stands for every class, function and decorator of the absent libraries."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """A decorator gives back what it decorates."""
        decorates = cls is Hollow and len(args) == 1 and not kwargs and callable(args[0])
        return args[0] if decorates else super().__new__(cls)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Takes whatever the real one would."""

    def __call__(self, decorated: Any) -> Any:
        """A decorator that was given arguments."""
        return decorated


class _HollowModule(types.ModuleType):
    def __getattr__(self, name: str) -> "type[Hollow]":
        if name.startswith("__"):
            raise AttributeError(name)
        return Hollow


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):  # type: ignore[no-untyped-def]
        if name.partition(".")[0] not in ABSENT:
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return _HollowModule(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        pass


def install() -> None:
    """Keep TensorFlow out of this process; without effect where it is imported already."""
    if "tensorflow" not in sys.modules:
        sys.meta_path.insert(0, _Finder())
