"""Marks for `Annotated`: what a type cannot say of the integers and lists of a view document."""

from __future__ import annotations

import enum
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Table:
    """A field with rows that integers elsewhere name: a list, or columns, which are the required lists of its type."""

    name: str


@dataclass(frozen=True, slots=True)
class Index:
    """An integer that names a row of a table; -1, where it is optional, names none."""

    table: str
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Parent:
    """A list of integers that makes its table a tree: each names an earlier row, the first alone is -1, the root."""


@dataclass(frozen=True, slots=True)
class OneOf:
    """An integer that is a member of an enumeration."""

    members: type[enum.IntEnum]


@dataclass(frozen=True, slots=True)
class Rows:
    """A list with one entry for each row of a table elsewhere."""

    table: str
