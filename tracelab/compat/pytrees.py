"""torch's pytrees: which classes are containers to it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tracelab.compat.names import optional

_register: Any = optional("torch.utils._pytree.register_pytree_node")


def register_dict(cls: type[dict[Any, Any]]) -> None:
    """Let torch take a class of dicts apart as it does dicts; what it puts together again is a dict."""
    if _register is not None:
        _register(cls, _apart, _together)


def _apart(item: dict[Any, Any]) -> tuple[list[Any], list[Any]]:
    return list(item.values()), list(item.keys())


def _together(parts: Iterable[Any], keys: list[Any]) -> dict[Any, Any]:
    return dict(zip(keys, parts, strict=True))
