"""What traced functions and traced modules tell of shapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tracelab.compat.modes import keeps_modes
from tracelab.execute.shapes.known import known_shapes
from tracelab.execute.shapes.shapes import Shapes


class Shaping:
    """`shapes` and `signature` of everything that was traced."""

    __slots__ = ()

    @keeps_modes
    def shapes(self, dims: Mapping[str, Sequence[str | None]] | None = None, method: str = "forward") -> Shapes:
        """The shape of every value, with a name for each size that may differ from call to call.

        The graph runs once on tensors without data whose sizes are symbols (torch's `ShapeEnv`). Sizes that the code
        names as it takes a shape apart (`batch, length = ids.shape`) have these names, others that of their input and
        place (`ids.1`). Sizes of 0 and 1 at the trace, which broadcast, are numbers.

        They are kept with the trace. Pictures that are made from then on have the names: explorers as they are saved,
        `to_html`, `to_json` and `save`; the printed graph has them as comments.

        Args:
            dims: Names for the sizes of inputs, by the names of these: `{"ids": ("batch", "length")}`; None leaves one
                to the code.
            method: Which traced method of a module.

        Returns:
            The shapes: a table, a mapping by the names of values, and `at(...)` for other sizes.

        Raises:
            InputError: `dims` names no input, or more or fewer sizes than it has.

        >>> traced = tracelab.trace(lambda x: x.flatten(1).relu(), torch.ones(2, 3, 4))
        >>> print(traced.shapes(dims={"x": ("batch", None, "width")}))
        value    operator       module  shape                       at the trace
        -------  -------------  ------  --------------------------  ------------
        x        input                  float32[batch, x.1, width]  [2, 3, 4]
        flatten  aten::flatten          float32[batch, x.1*width]   [2, 12]
        relu     aten::relu             float32[batch, x.1*width]   [2, 12]
        """
        named = {name: tuple(words) for name, words in (dims or {}).items()}
        return known_shapes(self, named, method)

    @property
    def signature(self) -> str:
        """What the trace takes, by the names of sizes, and below it what the code asks of these, with the lines.

        >>> print(tracelab.trace(lambda x: x[:, 3:], torch.ones(2, 5)).signature)
        x: float32[x.0, x.1]
        """
        return known_shapes(self, told=False).signature
