"""`ReplayModule`: a recorded module, with its parameters and submodule tree."""

from __future__ import annotations

import copy
import functools
import weakref
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, Self, TypeVar

import torch
from torch import Tensor, nn

from tracelab.compat import script
from tracelab.compat.modules import apply_to
from tracelab.errors import AssumptionError, TracelabError
from tracelab.execute.cases import Cases, flat_inputs, modes_of, other_mode, reasons
from tracelab.execute.codegen.code import graph_code, state_inputs
from tracelab.execute.codegen.explained import raise_explained
from tracelab.execute.codegen.guards import Policy, is_silent
from tracelab.execute.codegen.replay import STALE, Replay
from tracelab.execute.observed_state import Changes, mode_mark, observe
from tracelab.execute.origin import Origin, copied_origin
from tracelab.graph import passes
from tracelab.graph.aliasing import Aliasing
from tracelab.graph.assumptions import Assumption, AssumptionKind
from tracelab.graph.data import input_tree_of
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Role, Value
from tracelab.graph.text.violations import may_be_wrong


class TracedSubmodule(nn.Module):
    """One module of a traced module's tree: its parameters, buffers and children, and nothing else."""

    def __init__(self, class_name: str, exported: Iterable[str] = ()) -> None:
        super().__init__()
        self._class_name = class_name
        self._exported = tuple(exported)
        self._exported_methods: dict[str, Callable[..., Any]] = {}

    @property
    def original_name(self) -> str:
        """The class of the module that was traced."""
        return self._class_name

    def method_names(self) -> list[str]:
        """What can be called on it."""
        return list(self._exported)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        raise TracelabError(
            f"a submodule of a traced module ({self._class_name}) cannot be called by itself: "
            "call the whole, or trace the submodule"
        )

    # A `ReplayModule` is called, and its own hooks run.
    def _refuse_hook(self, *args: Any, **options: Any) -> Any:
        raise TracelabError(
            f"a hook on a submodule of a traced module ({self._class_name}) would never run, because its operators run "
            "as parts of one graph: hook the module that you trace, before you trace it, or look at its values in "
            "`traced.run(...)`"
        )

    register_forward_hook = _refuse_hook
    register_forward_pre_hook = _refuse_hook
    register_full_backward_hook = _refuse_hook
    register_full_backward_pre_hook = _refuse_hook
    register_backward_hook = _refuse_hook

    def __setattr__(self, name: str, item: Any) -> None:
        super().__setattr__(name, item)
        if name == "training":
            mode_mark.renew()

    def __getattr__(self, name: str) -> Any:
        exported = self.__dict__.get("_exported_methods", {})
        if name in exported:
            return exported[name]
        if name in self.__dict__.get("_exported", ()):
            raise TracelabError(f"the exported method `{name}` is Python code, which files do not hold")
        return super().__getattr__(name)

    def __delattr__(self, name: str) -> None:
        if name in self._parameters or name in self._buffers or name in self._modules:
            raise TracelabError(f"cannot delete `{name}`: the traced graph uses it")
        super().__delattr__(name)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_exported_methods": {}}

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        twin = memo[id(self)] = type(self).__new__(type(self))
        nn.Module.__init__(twin)
        twin.__dict__.update({name: copy.deepcopy(item, memo) for name, item in self.__dict__.items()})
        return twin

    def _get_name(self) -> str:
        return self._class_name


class ReplayModule(TracedSubmodule, Cases):
    """A module as its methods ran once.

    It is an `nn.Module` that shares the parameters of the module it was traced from: `state_dict`, `.to()`,
    `copy` and `deepcopy` work as for any module. Devices that the trace wrote down move along with it.

    >>> traced = tracelab.trace(nn.Linear(3, 2), torch.ones(1, 3))
    >>> traced(torch.ones(5, 3)).shape
    torch.Size([5, 2])
    """

    register_forward_hook = nn.Module.register_forward_hook
    register_forward_pre_hook = nn.Module.register_forward_pre_hook
    register_full_backward_hook = nn.Module.register_full_backward_hook
    register_full_backward_pre_hook = nn.Module.register_full_backward_pre_hook
    register_backward_hook = nn.Module.register_backward_hook

    def __init__(self, class_name: str, graphs: dict[str, Graph], exported: Iterable[str] = ()) -> None:
        super().__init__(class_name, exported)
        self._graphs = graphs
        self._changes = Changes()
        self._runs: dict[str, _Run] = {}
        self.policy = Policy()
        self._family = {}
        self.checked: tuple[bool, str] | None = None
        """Whether the last check found no difference, and what it said in a few words; None before the first."""
        self.origins: dict[str, Origin] = {}
        """What was traced, and how, by method; empty after loading from a file or a pickle, and in a shallow copy."""

    @property
    def _method(self) -> str:
        return "forward" if "forward" in self._graphs else next(iter(self._graphs))

    @property
    def graph(self) -> Graph:
        """The graph of `forward`, or of the only traced method."""
        return self._graphs[self._method]

    def _graph_of(self, method: str) -> Graph:
        return self._graphs[method]

    def graph_of(self, method: str) -> Graph:
        """The graph of one traced method."""
        return self._graphs[method]

    @property
    def code(self) -> str:
        """Python code that does what the trace of `forward` does."""
        return graph_code(self.graph)

    def method_names(self) -> list[str]:
        return [*self._graphs, *self._exported]

    def graph_for(self, *inputs: Any, **kwargs: Any) -> Graph:
        """The graph after dead code and common subexpressions are taken out."""
        return passes.cse(passes.dce(self.graph.copy()))

    def train(self, mode: bool = True) -> Self:
        """Set the mode of the module; a trace keeps that of its recording, and says so where it depends on it."""
        items = (item for graph in self._graphs.values() for item in graph.assumptions)
        if not self.policy.picks and any(
            item.kind is AssumptionKind.TRAINING and item.constant is (not mode) for item in items
        ):
            self.policy.act(
                f"{self._class_name} was traced in {'evaluation' if mode else 'training'} mode, which its recording "
                f"depends on (dropout, batch norm or a branch on `training`): {'train' if mode else 'eval'}() does not "
                "change what the trace does; trace it again in that mode"
            )
        return super().train(mode)

    def guards_changed(self, method: str) -> None:
        """Write the code of a method anew at its next call: what it checks is different."""
        run = self._runs.get(method)
        if run is not None:
            run.replay.version = STALE

    def _run(self, method: str) -> _Run:
        run = self._runs.get(method)
        if run is None or run.replay.version != run.graph.nodes.version:
            run = self._runs[method] = _Run(self, self._graphs[method], method)
        return run

    def _moved(self, method: str) -> tuple[dict[torch.device, torch.device], dict[Value, Tensor]]:
        """Devices that the trace of a method wrote down, and constants, as they are since the module moved."""
        run = self._runs.get(method)
        if run is None:
            return {}, {}
        namespace, code = run.replay.namespace, run.replay.code
        devices = {device: namespace[name] for name, device in code.devices.items()}
        return devices, {value: namespace[name] for name, value in code.constants.items()}

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        method = "forward"
        if method not in self._graphs:
            if len(self._graphs) != 1:
                raise TracelabError(f"`forward` was not traced; traced methods: {', '.join(self._graphs)}")
            # Of `trace(net.encode, x)`, that is what a call means.
            [method] = self._graphs
        return self._called(method, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        if name in self.__dict__.get("_graphs", ()):
            return lambda *args, **kwargs: self._called(name, args, kwargs)
        return super().__getattr__(name)

    def _called(self, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        policy = self.policy
        if policy.picks:
            return self._fitting(method, args, kwargs)
        run = self._run(method)
        if policy.on_violation != "ignore" and not (
            torch.compiler.is_compiling() or run.fits(self.training) or is_silent()
        ):
            missed = self._missed_mode(method, self.training)
            if missed is not None:
                [(sentence, item)] = reasons([missed])
                policy.act(f"{sentence}{may_be_wrong(item)}", item)
        return run(args, kwargs)

    def _replayed(self, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return self._run(method)(args, kwargs)

    def _missed_mode(self, method: str, training: bool) -> AssumptionError | None:
        run = self._run(method)
        if run.fits(training):
            return None
        for path, twin, item in run.modes:
            if item.constant is not (training if twin is None else twin.training):
                return other_mode(self._class_name, path, item)
        return None

    def _case_of(self, method: str, graph: Graph) -> Self:
        """Another recording of a method, with the same parameters."""
        case = self._shallow()
        own = ("_runs", "_graphs", "_family", "origins", "checked")
        case.__dict__.update({name: item for name, item in self.__dict__.items() if name not in own})
        case.__dict__.update({"_graphs": {method: graph}, "_family": {}, "origins": {}, "checked": None})
        return case

    def _recordings(self) -> Iterable[tuple[Self, str]]:
        """Every recording, and its method."""
        for method in self._graphs:
            yield from ((case, method) for case in self._cases_of(method))

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        apply_to(self, fn, recurse)
        for case, method in self._recordings():
            case._run(method).follow(fn)
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        # Graphs are shared: the copy's parameters are its own, and reach the code as arguments.
        for graph in self._graphs.values():
            memo[id(graph)] = graph
        twin = self._shallow()
        memo[id(self)] = twin
        for name, item in self.__dict__.items():
            if name not in ("_runs", "origins"):
                twin.__dict__[name] = copy.deepcopy(item, memo)
        copies = {method: copied_origin(origin, memo) for method, origin in self.origins.items()}
        twin.origins = {method: origin for method, origin in copies.items() if origin is not None}
        for method, graph in self._graphs.items():
            run = self._runs.get(method)
            written = _written_constants(graph)
            if run is not None or written:
                mine = twin._run(method)
                names = mine.names_of(written)
                if run is not None:
                    mine.devices_from(run)
                mine.own(names, memo)
        return twin

    def __copy__(self) -> Self:
        twin = self._shallow()
        twin.__dict__.update({name: item for name, item in self.__dict__.items() if name != "_runs"})
        twin.__dict__["origins"] = {}
        twin.__dict__["policy"] = replace(self.policy)
        for name in ("_parameters", "_buffers", "_modules"):
            twin.__dict__[name] = self.__dict__[name].copy()
        for method, run in self._runs.items():
            twin._run(method).devices_from(run)
        twin.__dict__["_family"] = {}
        for case, method in self._recordings():
            if case is not self:
                twin._add_case(method, twin._case_of(method, case._graphs[method]))
                twin._cases_of(method)[-1]._run(method).devices_from(case._run(method))
        return twin

    def __getstate__(self) -> dict[str, Any]:
        # Pickles hold no Python code: what was traced is left out, as in files.
        moved = {method: self._moved(method) for method in self._runs}
        devices = {method: devices for method, (devices, _) in moved.items()}
        constants = {
            method: {value.name: tensor for value, tensor in tensors.items()} for method, (_, tensors) in moved.items()
        }
        return {**super().__getstate__(), "_runs": {}, "origins": {}, "_moved_to": (devices, constants)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        devices, constants = state.pop("_moved_to")
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        observe(self, self._changes)
        for method in devices:
            namespace, code = self._run(method).replay.namespace, self._run(method).replay.code
            namespace.update({name: devices[method].get(device, device) for name, device in code.devices.items()})
            namespace.update({name: constants[method][value.name] for name, value in code.constants.items()})

    def _shallow(self) -> Self:
        twin = type(self).__new__(type(self))
        nn.Module.__init__(twin)
        twin.__dict__["_runs"] = {}
        return twin


class _Run:
    """The compiled code of one method, bound to one module's parameters; the module holds it, and is not held."""

    def __init__(self, module: ReplayModule, graph: Graph, method: str) -> None:
        self.graph = graph
        self.name = f"{module._class_name}.{method}"
        self._owner: Callable[[], Any] = weakref.ref(module)
        self.replay = Replay(graph, self.name, module.policy)
        self.tree = input_tree_of(graph)
        self.replay.namespace["set_buffer"] = functools.partial(_set_buffer, self._owner)
        self.replay.namespace["get_buffer"] = functools.partial(_get_buffer, self._owner)
        observe(module, module._changes)
        self.cells = [_cell(module, value.path, graph.state.get(value)) for value in state_inputs(graph)]
        self.modes = list(_twins_asked(module, graph))
        """The modules whose modes the recording depends on; None stands for the whole, which each recording has."""
        self._parts = [(vars(twin), item.constant) for _, twin, item in self.modes if twin is not None]
        """The same without names."""
        self._says_changes = all(isinstance(twin, TracedSubmodule) for _, twin, _ in self.modes if twin is not None)
        self._fits_since: object = None
        """The mark of the modes with which all were found as they were at the trace."""
        self.own_mode: bool | None = next((item.constant for _, twin, item in self.modes if twin is None), None)
        self._state: list[Tensor] = []
        self._state_of = module._changes
        self._changes = -1

    def fits(self, training: bool) -> bool:
        """Whether the modules that the recording depends on have the modes that they had; the whole has this one."""
        if self.own_mode is not None and self.own_mode is not training:
            return False
        mark = mode_mark.now
        if self._fits_since is mark:
            return True
        if any(table["training"] is not mode for table, mode in self._parts):
            return False
        if self._says_changes:
            self._fits_since = mark
        return True

    def state(self) -> list[Tensor]:
        """The parameters, buffers and captured tensors as they are now, in the order of the graph's inputs."""
        count = self._state_of.count
        if self._changes != count:
            self._state = [table[name] for table, name in self.cells]
            self._changes = count
        return self._state

    def __call__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        tree = self.tree
        if kwargs or not tree.plain or len(args) != len(tree.names) or not all(isinstance(a, Tensor) for a in args):
            args = tuple(flat_inputs(self._owner(), tree, args, kwargs, self.name))
        try:
            return self.replay.best(args)(*args, *self.state())
        except Exception as error:
            raise_explained(error, self.replay, args)
            raise
        finally:
            if not tree.plain:
                tree.given.forget()

    def follow(self, fn: Callable[[Tensor], Tensor]) -> None:
        """Move what the trace wrote down as `fn` moves the parameters."""
        namespace = self.replay.namespace
        for name in self.replay.code.devices:
            probe = fn(torch.empty(0, device=namespace[name]))
            namespace[name] = probe.device
        for name in self.replay.code.constants:
            namespace[name] = fn(namespace[name])
        for table, name in self.cells:
            if isinstance(table, _ModuleTable):
                table[name] = fn(table[name])
        self._changes = -1

    def names_of(self, constants: set[int]) -> list[str]:
        """What the code calls captured tensors, given by their ids."""
        namespace = self.replay.namespace
        return [name for name in self.replay.code.constants if id(namespace[name]) in constants]

    def own(self, names: list[str], memo: dict[int, Any]) -> None:
        """Copy captured tensors, so that no other copy of the module writes to them."""
        for name in names:
            item = self.replay.namespace[name]
            if id(item) not in memo:
                memo[id(item)] = item.detach().clone().requires_grad_(item.requires_grad)
            self.replay.namespace[name] = memo[id(item)]

    def devices_from(self, other: _Run) -> None:
        for name in (*other.replay.code.devices, *other.replay.code.constants):
            self.replay.namespace[name] = other.replay.namespace[name]


def _set_buffer(owner: Callable[[], Any], path: str, tensor: Tensor) -> None:
    table, name = _cell(owner(), path, None)
    table[name] = tensor


def _get_buffer(owner: Callable[[], Any], path: str) -> Any:
    table, name = _cell(owner(), path, None)
    return table[name]


def _written_constants(graph: Graph) -> set[int]:
    """The ids of the captured tensors that the graph writes to."""
    memory = Aliasing(graph)
    return {id(item) for value, item in graph.state.items() if value.role is Role.CONSTANT and memory.written(value)}


class _ModuleTable(dict[str, Tensor]):
    """Where a captured tensor that belongs to no module of the tree is kept."""


def _cell(module: nn.Module, path: str, tensor: Tensor | None) -> tuple[dict[str, Any], str]:
    """The table and key under which a parameter or buffer is found at each call."""
    owner_path, name = path, ""
    while owner_path:
        # A name may hold dots itself.
        owner_path, _, first = owner_path.rpartition(".")
        name = f"{first}.{name}" if name else first
        try:
            owner = module.get_submodule(owner_path)
        except AttributeError:
            continue
        for table in (owner._parameters, owner._buffers):
            if name in table:
                return table, name
    if tensor is None:
        raise TracelabError(f"the traced module has no parameter or buffer `{path}`")
    return _ModuleTable({path: tensor}), path


def _twins_asked(module: nn.Module, graph: Graph) -> Iterator[tuple[str, nn.Module | None, Assumption]]:
    asked = list(modes_of(graph))
    twins = dict(module.named_modules(remove_duplicate=False)) if any(path for path, _ in asked) else {}
    for path, item in asked:
        if path == "" or path in twins:
            yield path, twins[path] if path else None, item


M = TypeVar("M", bound=ReplayModule)


def mirror(cls: type[M], module: nn.Module, graphs: dict[str, Graph]) -> M:
    """The traced module of a module: the same tree, sharing its parameters and buffers."""
    root = cls(type(module).__name__, graphs, _exported_names(module))
    twins: dict[int, TracedSubmodule] = {id(module): root}
    _fill(root, module, twins)
    observe(root, root._changes)
    return root


def _fill(twin: TracedSubmodule, module: nn.Module, twins: dict[int, TracedSubmodule]) -> None:
    twin.training = module.training
    twin._parameters.update(module._parameters)
    twin._buffers.update(module._buffers)
    twin._non_persistent_buffers_set = set(module._non_persistent_buffers_set)
    for name in twin._exported:
        twin._exported_methods[name] = getattr(module, name)
    for name, child in module._modules.items():
        if child is None:
            twin._modules[name] = None
            continue
        known = twins.get(id(child))
        if known is None:
            known = twins[id(child)] = TracedSubmodule(type(child).__name__, _exported_names(child))
            _fill(known, child, twins)
        twin._modules[name] = known


_exported: weakref.WeakKeyDictionary[type, tuple[str, ...]] = weakref.WeakKeyDictionary()
"""A model has hundreds of modules of a few classes."""


def _exported_names(module: nn.Module) -> tuple[str, ...]:
    """Methods marked with `torch.jit.export`."""
    cls = type(module)
    names = _exported.get(cls)
    if names is None:
        items = ((name, getattr(cls, name, None)) for name in dir(cls))
        names = tuple(name for name, item in items if callable(item) and script.is_exported(item))
        _exported[cls] = names
    return names
