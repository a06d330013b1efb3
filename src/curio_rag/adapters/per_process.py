"""A value made on first use, once for each process: what holds threads or locks does not survive a fork."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from typing import Any, Generic, TypeVar

Value = TypeVar("Value")


class PerProcess(Generic[Value]):
    """Makes its value on first use and anew after a fork; safe to share between threads.

    When `make` raises, the error goes to the caller and the next call tries again.
    """

    def __init__(self, make: Callable[[], Value]) -> None:
        self._make = make
        self._made: list[Value] = []
        self._lock = threading.Lock()
        _everywhere.add(self)

    def get(self) -> Value:
        """The value of this process."""
        made = self._made
        if not made:
            with self._lock:
                if not self._made:
                    self._made.append(self._make())
                made = self._made
        return made[0]

    def forget_parent(self) -> None:
        """In a child: leave the parent's value alone, and the lock that one of its threads may have held."""
        for value in self._made:
            _never_destroy(value)
        self._made = []
        self._lock = threading.Lock()


def _never_destroy(value: object) -> None:
    """Hold one reference that nothing gives back.

    onnxruntime waits for a session's threads when the session is destroyed; in a child of a fork they do
    not exist, and it would wait for ever or abort the process, at the latest when the interpreter ends.
    """
    import ctypes

    ctypes.pythonapi.Py_IncRef(ctypes.py_object(value))


def _after_fork() -> None:
    for each in tuple(_everywhere):
        each.forget_parent()


_everywhere: weakref.WeakSet[PerProcess[Any]] = weakref.WeakSet()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
