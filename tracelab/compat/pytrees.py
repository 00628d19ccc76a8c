"""torch's pytrees: which classes are containers to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from tracelab.compat.names import needed, optional

_register: Any = optional("torch.utils._pytree.register_pytree_node")
_nodes: Any = optional("torch.utils._pytree.SUPPORTED_NODES")

map_leaves: Callable[[Callable[[Any], Any], Any], Any] = needed("torch.utils._pytree.tree_map")
"""The same nesting with another thing in the place of each that is no container."""
leaves: Callable[[Any], list[Any]] = needed("torch.utils._pytree.tree_leaves")
"""What stands in a nesting."""


def register_dict(cls: type[dict[Any, Any]]) -> None:
    """Let torch take a class of dicts apart as it does dicts; what it puts together again is a dict."""
    if _register is not None:
        _register(cls, _apart, _together)


def known_to_torch(cls: type) -> tuple[Callable[..., Any], Callable[..., Any]] | None:
    """How torch takes objects of a class apart, and puts them together; None for a class that it does not know."""
    found = (_nodes or {}).get(cls)
    return None if found is None else (found.flatten_fn, found.unflatten_fn)


def _apart(item: dict[Any, Any]) -> tuple[list[Any], list[Any]]:
    return list(item.values()), list(item.keys())


def _together(parts: Iterable[Any], keys: list[Any]) -> dict[Any, Any]:
    return dict(zip(keys, parts, strict=True))
