"""What runs one node of an ONNX graph: onnxruntime, on a model of that node alone."""

from __future__ import annotations

from typing import Any

import numpy
import torch

from tracelab.errors import TracelabError
from tracelab.interop.onnx.inner_tensors import refuse_outside
from tracelab.interop.onnx.tensors import DTYPES, ELEMENTS, needed


class OnnxOperator:
    """One node as a function of tensors; attributes are part of it, and those that a call gives are left out.

    `names` are the values that it is called with: its inputs, and what graphs inside of it use from outside.
    """

    def __init__(self, node: Any, names: list[str], opsets: Any, functions: Any, ir_version: int) -> None:
        self.node = node
        self.names = names
        self.opsets = opsets
        self.functions = functions
        self.ir_version = ir_version
        self.__name__ = node.op_type
        self.__qualname__ = node.op_type
        self._sessions: dict[tuple[Any, ...], Any] = {}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        given = {name: item for name, item in zip(self.names, args, strict=True) if item is not None}
        for name, item in given.items():
            if not isinstance(item, torch.Tensor) or item.dtype not in ELEMENTS or item.dtype is torch.bfloat16:
                what = item.dtype if isinstance(item, torch.Tensor) else type(item).__name__
                raise TracelabError(f"{self.__name__} is given `{name}`, which is {what}: onnxruntime takes none here")
        session = self._session(given)
        try:
            found = session.run(None, {name: _array(item) for name, item in given.items()})
        except Exception as error:
            raise self._failed(error) from error
        made = iter([_tensor(item) for item in found])
        results = tuple(next(made) if name else None for name in self.node.output)
        return results[0] if len(results) == 1 else results

    def _session(self, given: dict[str, torch.Tensor]) -> Any:
        key = tuple((name, item.dtype, item.dim()) for name, item in given.items())
        if key not in self._sessions:
            refuse_outside(self.node, self.functions)
            runtime, onnx = needed("onnxruntime"), needed("onnx")
            inputs = [
                onnx.helper.make_tensor_value_info(name, ELEMENTS[item.dtype], [None] * item.dim())
                for name, item in given.items()
            ]
            outputs = [onnx.ValueInfoProto(name=name) for name in self.node.output if name]
            graph = onnx.helper.make_graph([self.node], self.__name__, inputs, outputs)
            model = onnx.helper.make_model(
                graph, opset_imports=self.opsets, functions=self.functions, ir_version=self.ir_version
            )
            options = runtime.SessionOptions()
            options.log_severity_level = 4
            try:
                self._sessions[key] = runtime.InferenceSession(
                    model.SerializeToString(), options, providers=["CPUExecutionProvider"]
                )
            except Exception as error:
                raise self._failed(error) from error
        return self._sessions[key]

    def _failed(self, error: Exception) -> TracelabError:
        # onnxruntime has an exception class of its own for each kind of failure.
        text = " ".join(str(error).split())[:300]
        return TracelabError(f"onnxruntime does not run {self.__name__}: {text}")

    def __reduce__(self) -> Any:
        return _unpickled, (self.node.SerializeToString(), self.names, list(self.opsets), self.ir_version)

    def __repr__(self) -> str:
        return f"<onnx {self.__name__}>"


def _unpickled(node: bytes, names: list[str], opsets: Any, ir_version: int) -> OnnxOperator:
    proto = needed("onnx").NodeProto()
    proto.ParseFromString(node)
    return OnnxOperator(proto, names, opsets, [], ir_version)


def _array(tensor: torch.Tensor) -> Any:
    return numpy.ascontiguousarray(tensor.detach().cpu().resolve_conj().resolve_neg().numpy()).reshape(tensor.shape)


def _tensor(item: Any) -> Any:
    if isinstance(item, numpy.ndarray):
        if item.dtype not in _NUMPY:
            raise TracelabError(f"onnxruntime gave an array of {item.dtype}, which no tensor holds")
        return torch.from_numpy(item)
    return [_tensor(part) for part in item] if isinstance(item, list) else item


_NUMPY = {torch.empty(0, dtype=dtype).numpy().dtype for dtype in DTYPES.values() if dtype is not torch.bfloat16}
