"""`on_violation="retrace"`: a call that fits no recording makes another one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from tracelab.api.shared_arguments import record
from tracelab.capture.call import CallArguments
from tracelab.capture.failures import TraceError
from tracelab.capture.messages import warnings_suppressed
from tracelab.check.isolation import isolated
from tracelab.check.outputs import given_as_they_are
from tracelab.compat.dynamo import is_loaded
from tracelab.errors import AssumptionError, InputError, TracelabError
from tracelab.execute.cases import Cases, NoneFits, NoRecording, modes_of, reasons
from tracelab.execute.codegen.guards import can_record, is_silent, tell
from tracelab.execute.observed_state import mode_mark
from tracelab.execute.origin import Origin, kept_examples
from tracelab.graph.graph import Graph
from tracelab.graph.text.violations import none_fits, too_many

_one_at_a_time = threading.RLock()


class Retracing(Cases):
    """Recordings are made as calls need them, while the Python function lives."""

    def _origin_of(self, method: str) -> Origin | None:
        raise NotImplementedError

    def _new_case(self, method: str, graph: Graph, origin: Origin) -> Any:
        raise NotImplementedError

    def _recorded_anew(
        self, method: str, args: tuple[Any, ...], kwargs: dict[str, Any], missed: list[InputError]
    ) -> Any:
        origin = self._cases_of(method)[0]._origin_of(method)
        if origin is None:
            why = none_fits(reasons(missed))
            raise AssumptionError(
                f"no recording fits this call ({why}), and there is no Python function to record another (it was "
                "loaded from a file, copied, or is a cell): trace it again"
            )
        if is_silent():
            # A check looks at the recordings that there are.
            raise NoRecording(str(missed[0]))
        with _one_at_a_time:
            made_meanwhile = self._cases_of(method)[len(missed) :]
            try:
                return self._first_of(made_meanwhile, method, args, kwargs, missed)
            except NoneFits:
                pass
            with _in_place_of(self, origin):
                full = len(missed) >= self.policy.max_traces
                # Transforms, checkpoints and other traces look at what Python does, and nothing else.
                if can_record() and full:
                    tell(too_many(reasons(missed)))
                elif can_record():
                    record = torch.compiler.disable(self._record_another) if is_loaded() else self._record_another
                    record(method, origin, args, kwargs)
                # The call itself, in Python: with its gradients, and all that it changes.
                return origin.python(*args, **kwargs)

    def _python_of(self, method: str) -> Callable[..., Any] | None:
        first = self._cases_of(method)[0]
        origin = first._origin_of(method)
        if origin is None or self.policy.on_violation != "retrace":
            return None
        if origin.version != first._graph_of(method).nodes.version:
            # Its graph was edited: the Python function is something else.
            return None

        def python(*args: Any, **kwargs: Any) -> Any:
            with _one_at_a_time, _in_place_of(self, origin):
                return origin.python(*args, **kwargs)

        return python

    def recordings(self, method: str | None) -> list[Any]:
        """Those that a check looks at."""
        name = method or self._method
        return self._cases_of(name) if self.policy.picks else [self]

    @contextmanager
    def as_recorded(self, case: Any, method: str | None) -> Iterator[None]:
        """While a recording is checked, it alone takes calls, and all modules are in its mode."""
        name = method or self._method
        origin = self._cases_of(name)[0]._origin_of(name)
        if origin is None or len(self.recordings(method)) == 1:
            yield
            return
        modules = (*self.modules(), case) if isinstance(self, nn.Module) else ()
        modes = [(module, module.training) for module in modules]
        recorded = {path: item.constant for path, item in modes_of(case._graph_of(name))}
        paths = {id(module): path for path, module in self.named_modules()} if isinstance(self, nn.Module) else {}
        vars(case)["_alone"] = True
        try:
            for module, training in modes:
                vars(module)["training"] = recorded.get(paths.get(id(module), ""), training)
            mode_mark.renew()
            with _in_place_of(self, origin):
                yield
        finally:
            del vars(case)["_alone"]
            for module, training in modes:
                vars(module)["training"] = training
            mode_mark.renew()

    def _record_another(self, method: str, origin: Origin, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        call = CallArguments(args, kwargs)
        call.follows_numbers, call.follows_arrays, call.follows_sizes = origin.follows
        try:
            with isolated((*origin.roots, *given_as_they_are(args, kwargs))), warnings_suppressed():
                graph, _, examples = record(origin.python, origin.modules, call, origin.strict, origin.force_outplace)
        except TracelabError as error:
            if not isinstance(error, TraceError) or isinstance(error.__cause__, TracelabError):
                said = f"no recording fits this call, and none can be made ({error})"
                tell(f"{said}: the call ran the Python function")
            # The code's own error is raised again by the call in Python, with what was changed before it.
            return
        given = [*call.given.values()]
        again = replace(origin, examples=kept_examples(examples), version=graph.nodes.version, given=tuple(given))
        graph.function_scopes = self._graph_of(method).function_scopes
        case = self._new_case(method, graph, again)
        case.policy = self.policy
        self._add_case(method, case)


@contextmanager
def _in_place_of(traced: Any, origin: Origin) -> Iterator[None]:
    """The modules that were traced have parameters, buffers and modes of the traced module, which may have moved."""
    pairs = list(_pairs(traced, origin.modules[""], set())) if "" in origin.modules else []
    before = [(module, module._parameters, module._buffers, module.training) for _, module in pairs]
    try:
        for twin, module in pairs:
            vars(module).update(_parameters=twin._parameters, _buffers=twin._buffers, training=twin.training)
        mode_mark.renew()
        yield
    finally:
        for module, parameters, buffers, training in before:
            vars(module).update(_parameters=parameters, _buffers=buffers, training=training)
        mode_mark.renew()


def _pairs(twin: nn.Module, module: nn.Module, seen: set[int]) -> Iterator[tuple[nn.Module, nn.Module]]:
    if id(module) in seen:
        return
    seen.add(id(module))
    yield twin, module
    for name, child in module._modules.items():
        other = twin._modules.get(name)
        if child is not None and other is not None:
            yield from _pairs(other, child, seen)
