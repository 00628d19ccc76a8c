"""`Estimate`: what a model costs at a batch and a length, as data, text and HTML."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import wrap

from tracelab.graph.text.html import block, heading, line, table
from tracelab.graph.types import bytes_text, counted

_WIDTH = 100


@dataclass(frozen=True, slots=True)
class PhaseEstimate:
    """What one phase costs.

    Attributes:
        tokens: Tokens (rows of a batch, where there is no length) that it computes.
        flops: Floating-point operations, two for each multiplication and addition of matrix products, convolutions and
            attention, by the formulas of `torch.utils.flop_counter`. Attention counts its whole square, as torch does.
        bytes_moved: Bytes that its operators read and write, each input and output once. Views move nothing, reads by
            index what they give, products by expert at most one expert's weights for each row.
        activations: Bytes of activations that live at once, at the most: inputs, what operators make, and outputs,
            each from the operator that makes it to the last that uses it, without weights and cache.
        cache: Bytes of the cache of keys, values and states afterwards.
    """

    tokens: int
    flops: int
    bytes_moved: int
    activations: int
    cache: int

    @property
    def intensity(self) -> float:
        """Operations for each byte that is moved."""
        return self.flops / self.bytes_moved if self.bytes_moved else 0.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a model costs at a batch and a length, found from shapes alone.

    Attributes:
        name: What was traced.
        batch: Rows that are computed together; 0 where no input has a batch.
        length: Tokens of each row; 0 where there is no length.
        dtype: The floating dtype of weights and inputs.
        parameters: Elements of the parameters that the run uses, each once.
        weights: Bytes of parameters, buffers and constants in that dtype.
        prefill: A call on `length` tokens of each row; of what has no length, the call.
        decode: One token more for each row, with `length` tokens in the cache; None where no cache is returned.
        notes: What the figures leave out.
    """

    name: str
    batch: int
    length: int
    dtype: str
    parameters: int
    weights: int
    prefill: PhaseEstimate
    decode: PhaseEstimate | None = None
    notes: tuple[str, ...] = ()

    @property
    def cache(self) -> int:
        """Bytes of the cache after the prefill."""
        return self.prefill.cache

    @property
    def memory(self) -> int:
        """Bytes of weights, cache and activations together, in the phase that needs most."""
        return self.weights + max(phase.cache + phase.activations for _, phase in self._phases())

    def _phases(self) -> Iterator[tuple[str, PhaseEstimate]]:
        yield ("prefill" if self.length else "forward"), self.prefill
        if self.decode is not None:
            yield "decode, one token", self.decode

    def _title(self) -> str:
        sizes = [f"batch {self.batch:,}"] if self.batch else []
        sizes += [f"length {self.length:,}"] if self.length else []
        return ", ".join([self.name, *sizes, self.dtype])

    def _rows(self) -> list[tuple[str, ...]]:
        phases = [phase for _, phase in self._phases()]
        rows = [
            ("", *(name for name, _ in self._phases())),
            ("tokens" if self.length else "rows", *(f"{phase.tokens:,}" for phase in phases)),
            ("FLOPs", *(amount(phase.flops, "FLOP") for phase in phases)),
            ("bytes moved", *(bytes_text(phase.bytes_moved) for phase in phases)),
            ("FLOPs per byte", *(f"{phase.intensity:,.1f}" for phase in phases)),
            ("activations, peak", *(bytes_text(phase.activations) for phase in phases)),
        ]
        if any(phase.cache for phase in phases):
            rows.append(("cache", *(bytes_text(phase.cache) for phase in phases)))
        return rows

    def _sums(self) -> str:
        return (
            f"{amount(self.parameters)} parameters, {bytes_text(self.weights)} of weights, "
            f"{bytes_text(self.memory)} of memory at the most"
        )

    def __str__(self) -> str:
        rows = self._rows()
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        lines = [self._title(), self._sums()]
        for first, *rest in rows:
            cells = [f"{cell:>{width}}" for cell, width in zip(rest, widths[1:], strict=True)]
            lines.append("  ".join([f"  {first:<{widths[0]}}", *cells]).rstrip())
        for note in self.notes:
            lines += wrap(f"note: {note}", _WIDTH)
        return "\n".join(lines)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        head, *rows = self._rows()
        parts = [heading(self._title(), self._sums()), table("of one call", head, rows, numbers=len(head) - 1)]
        return block([*parts, *(line(f"note: {note}") for note in self.notes)])


def amount(count: int, unit: str = "") -> str:
    """A number that a person reads at a glance.

    >>> amount(70_553_706_496), amount(12), amount(3_000_000, "FLOP")
    ('70.55 billion', '12', '3 MFLOP')
    """
    names = ("", "k", "M", "G", "T", "P", "E") if unit else ("", " thousand", " million", " billion", " trillion")
    size, place = float(count), 0
    while size >= 999.5 and place < len(names) - 1:
        size, place = size / 1000, place + 1
    text = f"{count}" if place == 0 else f"{size:.4g}"
    return f"{text} {names[place]}{unit}".rstrip() if unit else f"{text}{names[place]}"


def uncounted(kinds: list[str]) -> str:
    """The note on calls for which there is no formula."""
    shown = ", ".join(kinds[:3]) + (f" and {len(kinds) - 3} more" if len(kinds) > 3 else "")
    return f"operations inside of {counted(len(kinds), 'kind')} of calls are not counted: {shown}"
