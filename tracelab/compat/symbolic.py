"""torch's environment of symbolic sizes, and tensors without data whose sizes are symbols."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from tracelab.compat.dispatch import enable_python_dispatcher
from tracelab.compat.names import needed


class SizesOnly:
    """Tensors without data: operators on them work out sizes and compute nothing."""

    def __init__(self, environment: Any = None) -> None:
        self._mode: Any = needed("torch._subclasses.fake_tensor.FakeTensorMode")(
            shape_env=environment, allow_non_fake_inputs=True
        )

    @contextmanager
    def running(self) -> Iterator[None]:
        """Inside of it, operators work out sizes and compute nothing."""
        # Kernels in C++ would fix sizes that torch's rules in Python leave open.
        with self._mode, enable_python_dispatcher():
            yield

    def fixed(self, tensor: torch.Tensor) -> torch.Tensor:
        """A tensor of the same sizes without data."""
        made: torch.Tensor = self._mode.from_tensor(tensor, static_shapes=True)
        return made

    def empty(
        self, shape: Sequence[Any], stride: Sequence[Any], dtype: torch.dtype, device: torch.device
    ) -> torch.Tensor:
        """A tensor of these sizes without data."""
        with self._mode:
            return torch.empty_strided(tuple(shape), tuple(stride), dtype=dtype, device=device)


class SymbolicSizes(SizesOnly):
    """The same with sizes that are symbols, and what was asked of these on the way."""

    def __init__(self) -> None:
        self.environment: Any = needed("torch.fx.experimental.symbolic_shapes.ShapeEnv")()
        super().__init__(self.environment)

    def symbolic(
        self, name: str, shape: Sequence[int], stride: Sequence[int], dtype: torch.dtype, device: torch.device
    ) -> torch.Tensor:
        """A tensor of an input whose sizes are symbols; those of 0 and 1, which broadcast, are numbers."""
        dynamic = needed("torch.fx.experimental.symbolic_shapes.DimDynamic")
        context = needed("torch.fx.experimental.symbolic_shapes.StatelessSymbolicContext")(
            dynamic_sizes=[dynamic.DYNAMIC if size > 1 else dynamic.STATIC for size in shape]
        )
        source = needed("torch._dynamo.source.ConstantSource")(name)
        example = torch.empty_strided(tuple(shape), tuple(stride), dtype=dtype, device="meta")
        sizes, strides, _ = self.environment.create_symbolic_sizes_strides_storage_offset(
            example, source, symbolic_context=context
        )
        return self.empty(sizes, strides, dtype, device)

    def expression(self, size: Any) -> Any:
        """A size as an expression of symbols, with what is known of them by now; a number stays one."""
        node = getattr(size, "node", None)
        found = size if node is None else self.environment.simplify(node.expr)
        return int(found) if getattr(found, "is_Integer", False) else found

    def questions(self) -> list[Any]:
        """The conditions that were asked of symbols so far, in order, as expressions that held."""
        return [guard.expr for guard in self.environment.guards]
