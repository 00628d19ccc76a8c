"""Random programs of everything that a trace may miss: sizes, dtypes, values, state, hooks, modes, aliases, containers.

A program is made statement by statement, and each runs as it is made, so that only those that run are kept.
"""

from __future__ import annotations

import linecache
import random
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from support.differential_lines import CONDITIONS, EXPRESSIONS, LINES, NUMBERS
from support.differential_names import NAMES, STATEFUL
from support.index_programs import Line, Whole
from support.observed_calls import calm

REGIONS = (
    "torch.no_grad()",
    "torch.enable_grad()",
    'torch.autocast("cpu", dtype=torch.bfloat16)',
    "no_gradients()",
)
FORMS = ("module", "module", "module", "evaluated", "function", "partial", "method", "default")
"""What is traced: a module, one in evaluation mode, a closure over one, a partial, a method, a default argument."""

_NAMES: dict[str, Any] = {**NAMES, "Whole": Whole}
_STATEFUL = compile(STATEFUL, "<what programs find>", "exec")

Inputs = tuple[Tensor, Tensor, Tensor]


def _table(text: str) -> list[str]:
    return [line.replace("~", "\n") for line in text.strip().splitlines()]


TEMPLATES = [tuple(line.split(": ", 1)) for line in _table(LINES)]
FEATURES = list(dict.fromkeys(feature for feature, _ in TEMPLATES))
_BY_FEATURE = {feature: [text for of, text in TEMPLATES if of == feature] for feature in FEATURES}
_WEIGHTS = {"pure": 2, "view": 2, "index": 2, "write": 3, "size": 3, "branch": 3, "state": 3, "random": 0.4}
_CONDITIONS, _EXPRESSIONS, _NUMBERS = map(_table, (CONDITIONS, EXPRESSIONS, NUMBERS))


@dataclass
class Program:
    """The statements of one function of `x`, `y` and `i`, and what it is traced on."""

    seed: int
    form: str
    shapes: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]
    gradients: tuple[bool, bool]
    statements: list[str]
    returned: str
    features: set[str] = field(default_factory=set)

    @property
    def text(self) -> str:
        lines = [line for statement in self.statements for line in statement.split("\n")]
        lines.append(f"return {self.returned}")
        if self.form in ("module", "evaluated", "method"):
            body = "".join(f"        {line}\n" for line in lines)
            name = "other" if self.form == "method" else "forward"
            made = {"module": "Program()", "evaluated": "Program().eval()", "method": "Program().other"}[self.form]
            return f"class Program(Host):\n    def {name}(self, x, y, i):\n{body}\n\ndef make():\n    return {made}\n"
        body = "".join(f"        {line}\n" for line in lines)
        if self.form == "function":
            return f"def make():\n    self = Host()\n\n    def program(x, y, i):\n{body}\n    return program\n"
        if self.form == "default":
            return f"def make():\n    def program(x, y, i, self=Host()):\n{body}\n    return program\n"
        return f"def make():\n    def program(self, x, y, i):\n{body}\n    return functools.partial(program, Host())\n"

    def __str__(self) -> str:
        return f"# seed {self.seed}: {self.shapes}, requires_grad {self.gradients}\n{self.text}"

    def inputs(self) -> Inputs:
        made = torch.Generator().manual_seed(self.seed)
        x, y = (
            (torch.rand(shape, generator=made) - 0.3).requires_grad_(asks)
            for shape, asks in zip(self.shapes[:2], self.gradients, strict=True)
        )
        return x, y, torch.randint(0, 4, self.shapes[2], generator=made)

    def make(self) -> tuple[Callable[..., Any], dict[str, Any]]:
        """What is traced, with state of its own, and the names around it."""
        filename = f"<program {self.seed} {hash(self.text)}>"
        linecache.cache[filename] = (len(self.text), None, self.text.splitlines(keepends=True), filename)
        space = {**_NAMES, "__name__": "program"}
        exec(_STATEFUL, space)
        exec(compile(self.text, filename, "exec"), space)
        return space["make"](), space


def programs(seeds: range, length: int = 7) -> Iterator[Program]:
    """One program for each seed whose program runs from beginning to end."""
    for seed in seeds:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = _Maker(seed, length).made()
            if runs(program):
                yield program


def runs(program: Program) -> bool:
    """Whether its own inputs go through it."""
    try:
        with calm(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            function, _ = program.make()
            function(*program.inputs())
    except Exception:
        return False
    return True


class _Maker:
    """Makes one program, statement by statement."""

    def __init__(self, seed: int, length: int) -> None:
        self.random = random.Random(seed)
        self.length = self.random.randint(2, length)
        shape = self.random.choice([(3, 4), (3, 4), (3, 4), (2, 3, 4), (2, 3, 4), (4,), (1, 4), (4, 4)])
        shapes = (shape, self.random.choice([shape, shape, shape[-1:]]), self.random.choice([(3,), (3,), (2, 2)]))
        gradients = (self.random.random() < 0.5, self.random.random() < 0.2)
        self.program = Program(seed, self.random.choice(FORMS), shapes, gradients, [], "x")
        # What is likely goes together: a few features a program.
        self.chosen_features = self.random.sample(FEATURES, 4)
        space = dict(_NAMES)
        exec(_STATEFUL, space)
        space["self"] = space["Host"]()
        self.space: dict[str, Any] = {**space, **dict(zip("xyi", self.program.inputs(), strict=True))}
        self.names = ["x", "y"]
        self.whole = ["i"]
        self.numbers: list[str] = []
        self.count = 0

    def made(self) -> Program:
        with calm():
            for _ in range(self.length):
                statement = self.step(self.random.random() < 0.12)
                if statement:
                    self.program.statements.append(statement)
            self.program.returned = self.returned()
        return self.program

    def step(self, nested: bool) -> str:
        if not nested:
            return self.one()
        region = self.random.choice(REGIONS)
        inside: list[str] = []
        with eval(region, self.space):
            for _ in range(self.random.randint(1, 3)):
                inside += self.one().split("\n")
        inside = [line for line in inside if line]
        return "\n".join([f"with {region}:", *(f"    {line}" for line in inside)]) if inside else ""

    def one(self) -> str:
        for _ in range(12):
            features = self.chosen_features if self.random.random() < 0.6 else FEATURES
            weights = [_WEIGHTS.get(feature, 1) for feature in features]
            feature = self.random.choices(features, weights)[0]
            template = self.random.choice(_BY_FEATURE[feature])
            line = self.filled(template)
            if line is not None and self.keep(line):
                self.program.features.add(feature)
                return line
        return ""

    def keep(self, line: str) -> bool:
        before = dict(self.space)
        try:
            exec(line, self.space)
        except Exception:
            self.space = before
            return False
        for name in dict.fromkeys(re.findall(r"\b[vn]\d+\b", line)):
            item = self.space.get(name)
            if isinstance(item, Tensor) and item.numel() <= 400:
                found = self.names if item.is_floating_point() else self.whole
                if name not in self.names and name not in self.whole:
                    found.append(name)
            elif isinstance(item, (int, float)) and name not in self.numbers and abs(item) < 64:
                self.numbers.append(name)
        return True

    def fresh(self, letter: str) -> str:
        self.count += 1
        return f"{letter}{self.count}"

    def filled(self, template: str) -> str | None:
        """A statement of this form; None where there is nothing to fill it with."""
        chosen: dict[str, str] = {}
        last: list[Tensor] = []
        new_number = template.startswith("{n} = ")
        failed = False

        def fill(found: re.Match[str]) -> str:
            nonlocal failed, new_number
            if found[0] in ("{{", "}}"):
                return found[0][0]
            place = found[1]
            if place in "vuwz" and place in chosen:
                return chosen[place]
            if place == "n" and new_number:
                new_number = False
                return self.fresh("n")
            text = self.chosen(place, last[-1] if last else None, chosen, template)
            if text is None:
                failed = True
                return ""
            chosen[place] = text
            if place in "fhgawmbro":
                last.append(self.space[text])
            return text

        # Where one slot stands several times, it is mostly the same tensor.
        if self.random.random() < 0.8:
            for place in "frmblno":
                if template.count(f"{{{place}}}") > 1 and not (place == "n" and new_number):
                    text = self.chosen(place, None, chosen, template)
                    if text is None:
                        return None
                    template = template.replace(f"{{{place}}}", text)
                    if text in self.space and isinstance(self.space[text], Tensor):
                        last.append(self.space[text])
        line = re.sub(r"\{\{|\}\}|\{(\w)\}", fill, template)
        return None if failed else line

    def chosen(self, place: str, last: Tensor | None, chosen: dict[str, str], template: str) -> str | None:
        draw = self.random
        if place in "vu":
            return self.fresh("v")
        if place == "k":
            return draw.choice(["0.5", "2.0", "-1.5", "3"])
        if place == "c":
            return draw.choice(["1", "2", "3", "4", "5"])
        if place == "n":
            return draw.choice(self.numbers) if self.numbers and draw.random() < 0.6 else draw.choice(_NUMBERS)
        if place in "qe":
            inner = draw.choice(_CONDITIONS if place == "q" else _EXPRESSIONS)
            return self.filled(inner)
        if place == "z":
            names = [name for name in (chosen.get("r"), chosen.get("w")) if name]
            tensor = self.space.get(names[-1]) if names else last
            return Line(draw, tensor, names[-1]).index() if names and isinstance(tensor, Tensor) else None
        if place == "l":
            return draw.choice(self.whole)
        names = [*self.names, *(self.whole if place == "a" else ())]
        found = [name for name in names if _fits(place, self.space[name], last)]
        return draw.choice(found[-5:] if draw.random() < 0.6 else found) if found else None

    def returned(self) -> str:
        draw = self.random
        names = [name for name in (*self.names, *self.whole) if isinstance(self.space[name], Tensor)]
        made = [name for name in names if name.startswith("v")] or names
        few = draw.sample(made, min(len(made), 9)) if draw.random() < 0.7 else [draw.choice(made)]
        form = draw.randrange(5)
        if form == 0:
            return few[0]
        if form == 1:
            return f"[{', '.join(few)}]"
        if form == 2:
            return "{" + ", ".join(f"{name!r}: {name}" for name in few) + "}"
        if form == 3:
            return f"Pair({few[0]}, {few[-1]})"
        return f"({', '.join(few)},)"


def _fits(place: str, item: Any, last: Tensor | None) -> bool:
    if not isinstance(item, Tensor):
        return False
    try:
        return _FITS[place](item, last)
    except RuntimeError:
        return False


def _broadcasts(item: Tensor, last: Tensor | None) -> bool:
    if last is None:
        return True
    try:
        return torch.broadcast_shapes(item.shape, last.shape) == last.shape
    except RuntimeError:
        return False


_FITS: dict[str, Callable[[Tensor, Tensor | None], bool]] = {
    "f": lambda item, last: True,
    "a": lambda item, last: True,
    "h": _broadcasts,
    "g": lambda item, last: last is None or item.shape == last.shape,
    "w": lambda item, last: not (item.is_leaf and item.requires_grad) and item.dim() > 0,
    "m": lambda item, last: item.dim() == 2,
    "b": lambda item, last: item.dim() == 3,
    "r": lambda item, last: item.dim() > 0,
    "o": lambda item, last: item.dim() == 2 and item.size(1) == 4 and item.dtype is torch.float32,
}
