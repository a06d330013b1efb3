"""The public names are few, sorted and real."""

from __future__ import annotations

import curio_rag


def test_every_public_name_exists_and_all_is_sorted() -> None:
    """`__all__` names what can be imported, in order."""
    assert list(curio_rag.__all__) == sorted(curio_rag.__all__)
    for name in curio_rag.__all__:
        assert getattr(curio_rag, name) is not None


def test_nothing_else_is_public() -> None:
    """What is not in `__all__` is a module, not a class or a function."""
    public = {
        name
        for name, value in vars(curio_rag).items()
        if not name.startswith("_") and getattr(value, "__module__", None) is not None
    }
    assert public - {"annotations"} == set(curio_rag.__all__)


def test_public_classes_are_documented() -> None:
    """Every public class and function says what it is."""
    for name in curio_rag.__all__:
        assert getattr(curio_rag, name).__doc__, name
