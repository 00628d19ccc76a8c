"""Inputs that nobody gave: other sizes, values, signs and forms, to show what the trace specialized."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, repeat, zip_longest

import torch
from torch import Tensor

from tracelab.capture.values import as_kind_of
from tracelab.check.forms import changes, form_phrase, forms_of, reformed
from tracelab.check.memory import has_data
from tracelab.graph.diagnostic import TraceDiagnostic
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Role, Value

Shapes = tuple[tuple[int, ...], ...]

_GROWTH = 8
"""No input gets more than so many times the elements of the example."""
_SMALL = 4096
"""…unless it has fewer than this."""
_FLOATS = ("negated", "zeros", "noise", "ones", "minus ones", "ten times", "a hundredth", "absolute", "minus absolute")
_INTEGERS = ("drawn from their range", "all at their least", "all at their greatest", "reversed")


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to make inputs from the examples: which values, which shapes, and from which seed.

    `values` names what is done to the tensors `which` (all, where empty); `shapes` are those of all tensors.

    >>> Recipe("negated", ((2,),)).build([torch.tensor([1.0, -2.0])])
    [tensor([-1.,  2.])]
    """

    values: str
    shapes: Shapes
    seed: int = 0
    which: tuple[int, ...] = ()
    form: str = ""
    """What they are beside shapes and values (`tracelab.check.forms`), of the tensors `which`."""

    def build(self, examples: list[Tensor]) -> list[Tensor]:
        """The tensors; the same each time, and the generators of torch stay as they are."""
        generator = torch.Generator().manual_seed(self.seed)
        made = []
        for place, (example, shape) in enumerate(zip(examples, self.shapes, strict=True)):
            if not is_plain(example):
                made.append(example)
                continue
            with torch.no_grad():
                tensor = _resized(example.detach(), shape)
                if self.values and (not self.which or place in self.which):
                    tensor = _changed(tensor, example.detach(), self.values, generator)
                tensor = tensor.clone() if tensor.data_ptr() == example.data_ptr() else tensor
            tensor = as_kind_of(example, tensor)
            made.append(reformed(self.form, tensor) if self.form and self._takes_form(place, example) else tensor)
        return made

    def _takes_form(self, place: int, example: Tensor) -> bool:
        return (not self.which or place in self.which) and is_plain(example) and changes(self.form, example)

    def description(self, names: list[str], examples: list[Tensor]) -> str:
        """`x of shape [5, 3] instead of [2, 3], negated`."""
        changed: dict[str, list[str]] = {}
        for name, shape, example in zip(names, self.shapes, examples, strict=True):
            if is_plain(example) and shape != tuple(example.shape):
                changed.setdefault(f"of shape {list(shape)} instead of {list(example.shape)}", []).append(name)
        parts = [f"{_listed(group)} {what}" for what, group in changed.items()]
        if self.form:
            taken = [names[place] for place, example in enumerate(examples) if self._takes_form(place, example)]
            parts.append(f"{_listed(taken)} {form_phrase(self.form)}")
        if self.values:
            touched = [names[place] for place in self.touched(examples)]
            parts.append(f"{_listed(touched)} {_PHRASES.get(self.values, self.values)}")
        return ", ".join(parts) or "the example inputs"

    def touched(self, examples: list[Tensor]) -> list[int]:
        """The tensors whose values or form it changes."""
        wanted = self.which or range(len(examples))
        if self.form:
            return [place for place, example in enumerate(examples) if self._takes_form(place, example)]
        integer = self.values in _INTEGERS
        return [
            place
            for place in wanted
            if is_plain(examples[place]) and (self.values == "random" or integer != _is_inexact(examples[place]))
        ]


_PHRASES = {
    "zeros": "all zeros",
    "noise": "random (of the same mean and deviation)",
    "random": "random",
    "ones": "all ones",
    "minus ones": "all minus one",
    "ten times": "ten times as large",
    "a hundredth": "a hundredth as large",
    "absolute": "made positive",
    "minus absolute": "made negative",
}


def _listed(names: list[str]) -> str:
    if len(names) > 3:
        return f"{names[0]} … {names[-1]} ({len(names)} tensors)"
    return " and ".join(names)


def is_plain(tensor: Tensor) -> bool:
    """Whether its values and shape can be varied."""
    return (
        type(tensor) in (Tensor, torch.nn.Parameter)
        and tensor.layout is torch.strided
        and not tensor.is_nested
        and not tensor.is_quantized
        and has_data(tensor)
    )


def _is_inexact(tensor: Tensor) -> bool:
    return tensor.is_floating_point() or tensor.is_complex()


def _resized(tensor: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Repeated or cut to the shape, so that only values occur that occurred."""
    for dim, size in enumerate(shape):
        if tensor.shape[dim] == 0 < size:
            # There is nothing to repeat.
            tensor = tensor.new_zeros([*tensor.shape[:dim], size, *tensor.shape[dim + 1 :]])
        elif tensor.shape[dim] != size:
            places = torch.arange(size, device=tensor.device) % max(tensor.shape[dim], 1)
            tensor = tensor.index_select(dim, places)
    return tensor


def _changed(tensor: Tensor, example: Tensor, values: str, generator: torch.Generator) -> Tensor:
    wide = _WIDER.get(tensor.dtype)
    if wide is not None:
        # torch reckons with few operators in these.
        return _changed(tensor.to(wide), example.to(wide), values, generator).to(tensor.dtype)
    if _is_inexact(tensor):
        return _floats(tensor, example, values, generator)
    return _integers(tensor, example, values, generator)


_WIDER = {
    **{getattr(torch, name): torch.float32 for name in dir(torch) if name.startswith("float8_")},
    torch.uint16: torch.int64,
    torch.uint32: torch.int64,
    torch.uint64: torch.int64,
    torch.complex32: torch.complex64,
}


def _floats(tensor: Tensor, example: Tensor, values: str, generator: torch.Generator) -> Tensor:
    if values == "negated":
        return -tensor
    if values == "zeros":
        return torch.zeros_like(tensor)
    if values in ("ones", "minus ones"):
        return torch.ones_like(tensor) if values == "ones" else -torch.ones_like(tensor)
    if values in ("ten times", "a hundredth"):
        return tensor * (10 if values == "ten times" else 0.01)
    if values in ("absolute", "minus absolute") and not tensor.is_complex():
        return tensor.abs() if values == "absolute" else -tensor.abs()
    if values in ("noise", "random"):
        finite = example[torch.isfinite(example)].to(torch.complex128 if example.is_complex() else torch.float64)
        mean = finite.mean() if finite.numel() else torch.zeros((), dtype=finite.dtype)
        spread = float(finite.std()) if finite.numel() > 1 else 1.0
        scale = (spread or 1.0) * (1.0 if values == "noise" else 3.0)
        noise = torch.randn(tensor.shape, generator=generator, dtype=finite.dtype)
        return (mean.cpu() + scale * noise).to(tensor.dtype).to(tensor.device)
    return tensor


def _integers(tensor: Tensor, example: Tensor, values: str, generator: torch.Generator) -> Tensor:
    """Within the range of the example: a token's number must be one that there is."""
    if example.numel() == 0 or values not in (*_INTEGERS, "random"):
        return tensor
    least, greatest = int(example.min()), int(example.max())
    if values == "all at their least":
        return torch.full_like(tensor, least)
    if values == "all at their greatest":
        return torch.full_like(tensor, greatest)
    if values == "reversed":
        return tensor.flip(0) if tensor.dim() else tensor
    drawn = torch.randint(least, greatest + 1, tensor.shape, generator=generator)
    return drawn.to(tensor.dtype).to(tensor.device)


def recipes(graph: Graph, examples: list[Tensor]) -> Iterator[Recipe]:
    """Recipes without end: sizes that warnings name first, one change at a time, then random ones of all.

    Dimensions of one size change together, since equal sizes often mean the same; then each by itself.
    """
    same: Shapes = tuple(tuple(example.shape) if is_plain(example) else () for example in examples)
    seen = set()
    forms = chain(repeat(None, _BEFORE_FORMS), _forms(graph, examples, same))
    for sized, valued, formed in zip_longest(_sizes(graph, examples, same), _values(examples, same), forms):
        for recipe in (valued, sized, formed):
            if recipe is not None and recipe not in seen:
                seen.add(recipe)
                yield recipe
    if not any(is_plain(example) for example in examples):
        return
    ties = _ties(examples)
    for seed in range(1, 1_000_000):
        generator = torch.Generator().manual_seed(seed)
        shapes = same
        for size, places in ties.items():
            if size > 1 and int(torch.randint(3, (), generator=generator)) == 0:
                shapes = _with(shapes, places, int(torch.randint(1, 2 * size + 1, (), generator=generator)))
        if _small_enough(shapes, examples):
            yield Recipe("random", shapes, seed)


_BEFORE_FORMS = 2
"""So many other sizes and values are tried before the first other form."""


def _forms(graph: Graph, examples: list[Tensor], same: Shapes) -> Iterator[Recipe]:
    places = {value: place for place, value in enumerate(graph.user_inputs)}
    seen = set()
    for form, values in forms_of(graph):
        recipe = Recipe("", same, 0, tuple(places[value] for value in values), form)
        taken = (form, *recipe.touched(examples))
        if len(taken) > 1 and taken not in seen:
            seen.add(taken)
            yield recipe


_OTHER_SIZES: tuple[Callable[[int], int], ...] = (
    lambda size: size + 1,
    lambda size: 1,
    lambda size: size * 2,
    lambda size: size - 1,
    lambda size: size + 7,
)
Place = tuple[int, int]
"""A tensor and one of its dimensions."""


def _ties(examples: list[Tensor]) -> dict[int, list[Place]]:
    """The dimensions of each size."""
    found: dict[int, list[Place]] = {}
    for place, example in enumerate(examples):
        if is_plain(example):
            for dim, size in enumerate(example.shape):
                found.setdefault(size, []).append((place, dim))
    return found


def _sizes(graph: Graph, examples: list[Tensor], same: Shapes) -> Iterator[Recipe]:
    ties = _ties(examples)
    named = [places for warning in graph.warnings if (places := sizes_behind(graph, warning))]
    first = [(place, 0) for place, shape in enumerate(same) if shape]
    equal_first = {same[place][0] for place, _ in first}
    groups: list[list[Place]] = []
    for places in named:
        groups += ([*ties[same[place][dim]]] for place, dim in places)
        groups += ([spot] for spot in places)
    if len(equal_first) == 1:
        groups.append(first)
    groups += ties.values()
    groups += ([spot] for places in ties.values() if len(places) > 1 for spot in places)
    unique = list(dict.fromkeys(tuple(group) for group in groups if group))
    for change in _OTHER_SIZES:
        for group in unique:
            size = same[group[0][0]][group[0][1]]
            other = change(size)
            shapes = _with(same, list(group), other)
            if other > 0 and other != size and _small_enough(shapes, examples):
                yield Recipe("", shapes)


def _with(shapes: Shapes, places: list[Place], size: int) -> Shapes:
    changed = [list(shape) for shape in shapes]
    for place, dim in places:
        changed[place][dim] = size
    return tuple(tuple(shape) for shape in changed)


def _small_enough(shapes: Shapes, examples: list[Tensor]) -> bool:
    for shape, example in zip(shapes, examples, strict=True):
        count = 1
        for size in shape:
            count *= size
        if count > max(_GROWTH * example.numel(), _SMALL):
            return False
    return True


def _values(examples: list[Tensor], same: Shapes) -> Iterator[Recipe]:
    floats = [p for p, e in enumerate(examples) if is_plain(e) and _is_inexact(e)]
    integers = [p for p, e in enumerate(examples) if is_plain(e) and p not in floats]
    kinds = [(kind, floats) for kind in _FLOATS] + [(kind, integers) for kind in _INTEGERS]
    for kind, places in kinds:
        if places:
            yield Recipe(kind, same)
    for kind, places in kinds:
        if len(places) > 1:
            for place in places[:16]:
                yield Recipe(kind, same, 0, (place,))


def sizes_behind(graph: Graph, warning: TraceDiagnostic) -> list[Place]:
    """The dimensions of the user's inputs that the value of a warning was computed from."""
    users = {value: place for place, value in enumerate(graph.user_inputs)}
    found: list[Place] = []
    if warning.kind == "iter" and warning.value in users:
        return [(users[warning.value], 0)]
    todo = [warning.value]
    seen: set[Value] = set()
    while todo and len(seen) < 200:
        value = todo.pop()
        if value is None or value in seen or value.node is None or value.is_tensor:
            continue
        seen.add(value)
        node = value.node
        if node.kind == "aten::size" and node.inputs and node.inputs[0].role is Role.INPUT:
            tensor = node.inputs[0]
            shape = tensor.shape or ()
            dims = [argument for argument in node.args[1:] if isinstance(argument, int)]
            found += ((users[tensor], dim % len(shape)) for dim in dims if shape and tensor in users)
        else:
            todo += node.inputs
    return found
