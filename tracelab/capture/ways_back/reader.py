"""Where a value that left the graph comes back: into a tensor, or into a branch.

In a cell, `predicted.numpy()`, `loss.item()` and `scores.tolist()` mostly end in a print, a plot or a table, which
freezes nothing. What the code does with the value is read from its source: through variables, containers, attributes
and calls of the user's functions. What comes back is told at the line where it does. Where the source cannot be read,
or the value goes where reading does not follow, the conversion itself is told, as in a function.
"""

from __future__ import annotations

import ast
import types
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any

import torch

from tracelab.capture.analysis.libraries import is_library
from tracelab.capture.analysis.syntax import Parents, definition_of, expression_at, loop_at, parents_of, path_of
from tracelab.capture.ways_back.callees import (
    Unknown,
    computes,
    is_of_torch,
    is_space,
    only_shows,
    own_frame,
    shows,
)
from tracelab.capture.ways_back.takers import (
    chooses_plain,
    home_of,
    is_of_plain,
    is_picky,
    is_plain,
    makes_data,
    takes_plain,
)
from tracelab.capture.ways_back.unit import SCOPES, Unit, reaches, readers_of, scope_of, uses
from tracelab.graph.source import Source

_MOST_STEPS = 2000
_DEEPEST = 12
_KEEPING = frozenset("append add extend insert update setdefault put appendleft push".split())
"""Methods after which what they belong to holds what they were given."""
_PASSING = (
    ast.Attribute,
    ast.BinOp,
    ast.BoolOp,
    ast.Compare,
    ast.Dict,
    ast.FormattedValue,
    ast.JoinedStr,
    ast.List,
    ast.Set,
    ast.Slice,
    ast.Starred,
    ast.Tuple,
    ast.UnaryOp,
    ast.Await,
)
"""What is made of the value holds it."""
_SETTING = ("is_tensor", "manual_seed", "save", "set_num_interop_threads", "set_num_threads", "set_printoptions")
"""Functions of torch that compute no tensor with what they are given."""
_CHOOSING = (filter, max, min, sorted)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(frozen=True, slots=True)
class WayBack:
    """A place where a value comes back; `branches` says that it decides what runs."""

    source: Source
    branches: bool


Span = tuple[str, int, int, int, int]
"""A file, and a place in it."""
_CALLING = (ast.BinOp, ast.UnaryOp, ast.Compare, ast.Call, ast.Subscript, ast.AugAssign)
"""Where operators are called."""


class Reader:
    """Follows one value through code, as far as it can be read."""

    def __init__(self, boundary: CodeType | None) -> None:
        self.boundary = boundary
        self.found: list[WayBack] = []
        self.passed: set[Span] = set()
        self.seen: set[tuple[int, str]] = set()
        self.steps = 0
        self.plain = False
        """Whether it goes to code in C that takes only numbers."""
        self.builds = False
        """Whether modules are made by it."""
        self.depth = 0

    def at_frame(self, frame: FrameType | None, target: ast.AST | None = None) -> None:
        """The instruction of a frame makes the value; with a `target`, a part of the value, which is bound to that."""
        at = None if frame is None else expression_at(frame)
        if frame is None or at is None:
            loop = None if frame is None else loop_at(frame)
            if frame is None or loop is None:
                raise Unknown
            unit = self._unit(loop[0], loop[1].iter, frame)
            self._bind(unit, loop[1].target, None)
            return
        parents, item = at
        if target is not None:
            self._bind(self._unit(parents, item, frame), target, None)
            return
        self.value(self._unit(parents, item, frame), item)

    def variable(self, unit: Unit, name: str) -> None:
        """A variable holds the value from the beginning."""
        self._name(unit, name, None)

    def _unit(self, parents: Parents, item: ast.AST, frame: FrameType) -> Unit:
        root = item
        while root in parents and not isinstance(root, SCOPES):
            root = parents[root]
        # What a comprehension makes belongs to the function around it, whose frame it is not up to Python 3.11.
        while (
            frame.f_code.co_name in ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>") and frame.f_back is not None
        ):
            frame = frame.f_back
        return Unit(frame.f_code.co_filename, parents, root, frame.f_globals, frame)

    # Where an expression goes -----------------------------------------------------------------------------

    def value(self, unit: Unit, item: ast.AST) -> None:
        """This expression holds the value: follow it outwards."""
        while True:
            self.steps += 1
            if self.steps > _MOST_STEPS:
                raise Unknown
            if (id(item), "value") in self.seen:
                return
            self.seen.add((id(item), "value"))
            outer = unit.parents.get(item)
            if outer is None or isinstance(outer, (ast.Expr, ast.Raise, ast.Assert)):
                return
            following = self._step(unit, item, outer)
            if following is None:
                return
            item = following

    def _step(self, unit: Unit, item: ast.AST, outer: ast.AST) -> ast.AST | None:
        """What holds the value further outside; None where that is followed elsewhere, or nothing does."""
        if isinstance(outer, ast.keyword):
            outer = unit.parents[outer]
        if isinstance(outer, ast.Call):
            self.passed.add((unit.file, *_place_of(outer)))
            return self._call(unit, item, outer)
        if isinstance(outer, (ast.If, ast.While, ast.IfExp)) and outer.test is item:
            if not only_shows(outer):
                self._comes_back(unit, item, True)
            return None
        if isinstance(outer, ast.Match):
            self._comes_back(unit, outer.subject, True)
            return None
        if isinstance(outer, ast.comprehension):
            return self._generator(unit, item, outer)
        if isinstance(outer, _CALLING):
            self.passed.add((unit.file, *_place_of(outer)))
        if isinstance(outer, (ast.BinOp, ast.Compare)):
            sides = [outer.left, outer.right] if isinstance(outer, ast.BinOp) else [outer.left, *outer.comparators]
            self.plain = self.plain or any(side is not item and is_picky(unit, side) for side in sides)
            if any(side is not item and self._is_tensor(unit, side) for side in sides):
                self._comes_back(unit, outer, False)
                return None
            return outer
        if isinstance(outer, (ast.Dict, ast.Set)):
            # Code that is written in C looks at keys: `json.dumps({n: 1})`.
            self.plain = self.plain or isinstance(outer, ast.Set) or item in outer.keys
        if isinstance(outer, ast.Subscript):
            self.plain = self.plain or (outer.slice is item and is_plain(home_of(unit, outer.value)))
            if outer.slice is item and self._holds_traced(unit, outer.value):
                self._comes_back(unit, outer, False)
                return None
            if isinstance(outer.ctx, ast.Store):
                # `counts[value] += 1`: what is counted holds the value.
                self._keep(unit, outer.value)
                return None
            return outer
        if isinstance(outer, (*_PASSING, ast.IfExp, *_COMPREHENSIONS)):
            return outer
        if isinstance(outer, ast.NamedExpr):
            self._bind(unit, outer.target, None)
            return outer
        if isinstance(outer, ast.Assign):
            for target in outer.targets:
                self._bind(unit, target, outer.value)
            return None
        if isinstance(outer, (ast.AugAssign, ast.AnnAssign)):
            if isinstance(outer, ast.AugAssign) and self._is_tensor(unit, outer.target):
                self._comes_back(unit, outer, False)
            self._bind(unit, outer.target, None)
            return None
        if isinstance(outer, (ast.For, ast.AsyncFor)):
            self._bind(unit, outer.target, None)
            return None
        if isinstance(outer, ast.withitem):
            if outer.optional_vars is not None:
                self._bind(unit, outer.optional_vars, None)
            return None
        if isinstance(outer, ast.Lambda):
            # What it gives: whoever calls it holds the value.
            return outer
        if isinstance(outer, ast.arguments) and isinstance(unit.parents[outer], ast.Lambda):
            return unit.parents[outer]
        if isinstance(outer, (ast.Return, ast.Yield, ast.YieldFrom)):
            self._give_back(unit, self._places(item) if isinstance(outer, ast.Return) else None)
            return None
        if isinstance(outer, (ast.Delete, ast.Global)):
            return None
        raise Unknown

    def _generator(self, unit: Unit, item: ast.AST, outer: ast.comprehension) -> ast.AST | None:
        if item in outer.ifs:
            whole = unit.parents[outer]
            assert isinstance(whole, _COMPREHENSIONS)
            made = [whole.key, whole.value] if isinstance(whole, ast.DictComp) else [whole.elt]
            calls = any(isinstance(part, ast.Call) for each in made for part in ast.walk(each))
            if not calls and is_of_plain(unit, outer.iter):
                # What is chosen of plain values is one more of them.
                return whole
            self._comes_back(unit, item, True)
        else:
            self._bind(unit, outer.target, None)
        return None

    def _places(self, item: ast.AST) -> tuple[list[int], int] | None:
        """Which parts of a tuple hold the value, and how many there are; None where that is not told apart."""
        if not isinstance(item, ast.Tuple) or any(isinstance(part, ast.Starred) for part in item.elts):
            return None
        return [place for place, part in enumerate(item.elts) if self._holds(part)], len(item.elts)

    def _give_back(self, unit: Unit, places: tuple[list[int], int] | None) -> None:
        """Whoever called gets it; a function that is read without running is followed where it is called."""
        if unit.frame is None:
            return
        caller = own_frame(unit.frame.f_back, self.boundary)
        at = None if caller is None else expression_at(caller)
        outer = None if at is None else at[0].get(at[1])
        if places is not None and isinstance(outer, ast.Assign) and len(outer.targets) == 1:
            targets = getattr(outer.targets[0], "elts", ())
            if len(targets) == places[1] and not any(isinstance(target, ast.Starred) for target in targets):
                for place in places[0]:
                    self.at_frame(caller, targets[place])
                return
        self.at_frame(caller)

    # Calls ------------------------------------------------------------------------------------------------

    def _call(self, unit: Unit, item: ast.AST, call: ast.Call) -> ast.AST | None:
        if call.func is item:
            # A method of the value: `matrix.sum()`.
            return call
        function = path_of(call.func)
        found = unit.look_up(function) if function else None
        owner = unit.look_up(function[:-1]) if len(function) > 1 else None
        if takes_plain(unit, call, found, owner):
            self.plain = True
        if shows(found, owner) or makes_data(found, owner):
            return None
        if isinstance(found, type) and issubclass(found, torch.nn.Module):
            self.builds = self.plain = True
            self._comes_back(unit, call, False)
            return None
        if found is range or (found in _CHOOSING and isinstance(item, ast.Lambda) and not chooses_plain(unit, call)):
            self._comes_back(unit, call, True)
            return None
        if is_of_torch(found) or isinstance(found, torch.nn.Module) or isinstance(owner, torch.Tensor):
            if getattr(found, "__name__", "") not in _SETTING:
                self._comes_back(unit, call, False)
            return None
        if isinstance(call.func, ast.Attribute) and call.func.attr in _KEEPING:
            self._keep(unit, call.func.value)
            return call
        if isinstance(found, types.MethodType):
            found = found.__func__
        if isinstance(found, types.FunctionType) and not is_library(found.__code__):
            self._inside(
                unit, found, item, call, isinstance(owner, object) and owner is not None and not is_space(owner)
            )
        elif isinstance(call.func, ast.Attribute) and owner is not None and not is_space(owner):
            # An object may keep what its methods are given.
            self._keep(unit, call.func.value)
        return call

    def _inside(self, unit: Unit, function: types.FunctionType, item: ast.AST, call: ast.Call, bound: bool) -> None:
        """A function of the user's is given the value: what it does with its argument."""
        code = function.__code__
        known = parents_of(code.co_filename)
        definition = next(
            (
                node
                for node in known or ()
                if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
                and node.name == code.co_name
                and code.co_firstlineno in (node.lineno, *(item.lineno for item in node.decorator_list))
            ),
            None,
        )
        if known is None or definition is None or self.depth >= _DEEPEST:
            raise Unknown
        names = [argument.arg for argument in (*definition.args.posonlyargs, *definition.args.args)]
        keyword = next((word.arg for word in call.keywords if word.value is item), None)
        if keyword is not None:
            given = [keyword]
        elif item in call.args and not any(isinstance(argument, ast.Starred) for argument in call.args):
            place = call.args.index(item) + (1 if bound else 0)
            given = names[place : place + 1] or [argument.arg for argument in (definition.args.vararg,) if argument]
        else:
            raise Unknown
        space = dict(function.__globals__)
        for name, argument in zip(names[1 if bound else 0 :], call.args, strict=False):
            space[name] = unit.look_up(path) if (path := path_of(argument)) else None
        for word in call.keywords:
            if word.arg is not None:
                space[word.arg] = unit.look_up(path) if (path := path_of(word.value)) else None
        inner = Unit(code.co_filename, known, definition, space)
        self.depth += 1
        for name in given:
            self._name(inner, name, None)
        self.depth -= 1

    # Variables --------------------------------------------------------------------------------------------

    def _bind(self, unit: Unit, target: ast.AST, whole: ast.AST | None) -> None:
        """The value is assigned to a target."""
        if isinstance(target, ast.Name):
            self._name(unit, target.id, target)
        elif isinstance(target, (ast.Tuple, ast.List)):
            parts = whole.elts if isinstance(whole, (ast.Tuple, ast.List)) else []
            for index, part in enumerate(target.elts):
                if len(parts) == len(target.elts) and not self._holds(parts[index]):
                    continue
                self._bind(unit, part, None)
        elif isinstance(target, ast.Starred):
            self._bind(unit, target.value, whole)
        elif isinstance(target, (ast.Attribute, ast.Subscript)):
            self.plain = self.plain or is_plain(home_of(unit, target.value))
            self._keep(unit, target if isinstance(target, ast.Attribute) else target.value)
        else:
            raise Unknown

    def _holds(self, item: ast.AST) -> bool:
        """Whether the value was followed through this expression."""
        return (id(item), "value") in self.seen

    def _keep(self, unit: Unit, item: ast.AST) -> None:
        """What an expression stands for holds the value from now on: whatever reads it later."""
        while isinstance(item, (ast.Subscript, ast.Call)):
            item = item.value if isinstance(item, ast.Subscript) else item.func
            if isinstance(item, ast.Attribute) and item.attr in ("setdefault", "get"):
                item = item.value
        path = path_of(item)
        if any(computes(unit.look_up(path[:end])) for end in range(1, len(path) + 1)):
            self._comes_back(unit, item, False)
        elif isinstance(item, ast.Name):
            self._name(unit, item.id, item)
        elif isinstance(item, ast.Attribute):
            self._attribute(unit, item.attr)
        else:
            raise Unknown

    def _attribute(self, unit: Unit, name: str) -> None:
        """An attribute holds it: all code of this file, and of the cell, that reads one of that name."""
        if (id(unit.parents), name) in self.seen:
            return
        self.seen.add((id(unit.parents), name))
        for node in list(unit.parents):
            if isinstance(node, ast.Attribute) and node.attr == name and isinstance(node.ctx, ast.Load):
                inner = (
                    unit
                    if scope_of(unit.parents, node) is unit.root
                    else Unit(unit.file, unit.parents, scope_of(unit.parents, node), unit.space)
                )
                self.value(inner, node)
        self._attribute_in_cell(unit, name)

    def _attribute_in_cell(self, unit: Unit, name: str) -> None:
        frame = unit.frame
        while frame is not None and frame.f_code is not self.boundary:
            cell, frame = frame, frame.f_back
            if not is_library(cell.f_code) and cell.f_code.co_filename != unit.file:
                parents = parents_of(cell.f_code.co_filename)
                if parents is None:
                    raise Unknown
                if not any(isinstance(node, ast.Attribute) and node.attr == name for node in parents):
                    continue
                root = next((node for node in parents.values() if isinstance(node, ast.Module)), None)
                if root is None:
                    raise Unknown
                self._attribute(Unit(cell.f_code.co_filename, parents, root, cell.f_globals, cell), name)

    def _name(self, unit: Unit, name: str, store: ast.Name | None) -> None:
        """A variable holds it, from the place where it is stored on (None: from the beginning)."""
        key = (id(store) if store is not None else id(unit.root), name)
        if key in self.seen:
            return
        self.seen.add(key)
        for node in uses(unit, name):
            if isinstance(node.ctx, ast.Load) and reaches(unit, store, node, name):
                self.value(unit, node)
        if isinstance(unit.root, ast.Module) and self.depth < _DEEPEST:
            self._global(unit, name)

    def _global(self, unit: Unit, name: str) -> None:
        """What the functions of the user's that the code names do with a variable of the module."""
        for function in readers_of(unit, name):
            found = definition_of(function.__code__)
            if found is None:
                raise Unknown
            if found[1] not in unit.parents:
                # Those that are written in the same cell are read with it.
                inner = Unit(function.__code__.co_filename, *found, function.__globals__)
                self.depth += 1
                self._name(inner, name, None)
                self.depth -= 1

    # What is known of other operands -----------------------------------------------------------------------

    def _is_tensor(self, unit: Unit, item: ast.AST) -> bool:
        path = path_of(item)
        return bool(path) and isinstance(unit.look_up(path), torch.Tensor)

    def _holds_traced(self, unit: Unit, item: ast.AST) -> bool:
        """Whether what is looked up in gives tensors or modules."""
        path = path_of(item)
        found = unit.look_up(path) if path else None
        if isinstance(found, dict):
            found = list(found.values())
        if isinstance(found, (list, tuple)):
            return any(isinstance(part, (torch.Tensor, torch.nn.Module)) for part in found)
        return isinstance(found, (torch.Tensor, torch.nn.Module))

    def _comes_back(self, unit: Unit, item: ast.AST, branches: bool) -> None:
        name = getattr(unit.root, "name", "<module>")
        way = WayBack(Source.at(unit.file, name, *_place_of(item)), branches)
        if way not in self.found:
            self.found.append(way)


def _place_of(item: Any) -> tuple[int, int, int, int]:
    return item.lineno, item.end_lineno or item.lineno, item.col_offset, item.end_col_offset or 0
