"""Scopes: the tree of module calls, which is the explorer's hierarchy."""

from __future__ import annotations


class Scope:
    """One call of one module: its path from the root, its class, and which call of it this was.

    The root scope (`parent is None`) is the traced function or module itself.
    """

    __slots__ = ("call", "children", "class_name", "name", "parent")

    def __init__(self, name: str, class_name: str, parent: Scope | None, call: int = 0) -> None:
        self.name = name
        self.class_name = class_name
        self.parent = parent
        self.call = call
        self.children: list[Scope] = []
        if parent is not None:
            parent.children.append(self)

    @property
    def path(self) -> str:
        """The module path below the root: `layer1.0.conv1`; empty for the root.

        A name may itself hold dots (a module called from outside its parent's forward), so that a path
        below a scope of the same prefix is not said twice.
        """
        return self.name if self.parent is not None else ""

    @property
    def last_name(self) -> str:
        """The part of the path that the enclosing scope does not already say."""
        if self.parent is None:
            return self.name
        prefix = self.parent.path + "."
        if self.parent.parent is not None and self.name.startswith(prefix):
            return self.name[len(prefix) :]
        return self.name

    @property
    def depth(self) -> int:
        """Number of scopes above this one; 0 for the root."""
        depth, scope = 0, self.parent
        while scope is not None:
            depth, scope = depth + 1, scope.parent
        return depth

    def __repr__(self) -> str:
        return f"Scope({self.path or self.name!r}, {self.class_name})"
