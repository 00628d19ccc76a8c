"""A function that raises gives the graph of what ran before; torch is as before after any exit."""

from __future__ import annotations

import gc
import math
import pickle
import threading
import warnings
import weakref

import pytest
import torch

import tracelab
from support.printed_graphs import kinds
from support.replay import agrees
from tracelab import TraceError, TracelabError


def torch_state():
    """All that a recording replaces, and what sizes and operators look like outside of one."""
    x = torch.ones(2, 3)
    return {
        "call": torch.nn.Module.__call__,
        "apply": torch.autograd.Function.__dict__["apply"],
        "sqrt": math.sqrt,
        "rounding": (math.floor, torch.ceil, torch.round),
        "numbers": (torch.SymInt.__hash__, torch._ops.OpOverload._get_dispatch),
        "is_tracing": torch.jit.is_tracing,
        "tracing": torch.jit.is_tracing(),
        "script": torch._C.ScriptFunction.__call__,
        "iter": torch.Tensor.__iter__,
        "autocast": (torch.autocast.__enter__, torch.autocast.__exit__),
        "seed": (torch.manual_seed, torch.random.manual_seed),
        "grad": torch.autograd.grad,
        "transforms": (torch.func.jacrev, torch.func.hessian),
        "overrides": torch.nn.functional.has_torch_function_unary,
        "sizes": (type(x.shape[0]), type(x.size(0)), type(x.numel())),
        "handlers": dict(torch.ops.aten.add.Tensor._dispatch_cache),
        "modes": torch._C._len_torch_function_stack(),
        "grad mode": torch.is_grad_enabled(),
        "own": tracelab.is_tracing(),
    }


class Stop(Exception):
    pass


def stops(x):
    y = x * 2
    with torch.no_grad():
        z = y + 1
        raise Stop(f"after {z.dim()}")


def mismatched(x):
    y = x * 2
    return y @ torch.ones(7, 7)


def interrupted(x):
    x + 1
    raise KeyboardInterrupt


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(3, 3)

    def forward(self, x):
        return mismatched(self.fc(x))


def test_the_error_holds_the_graph_of_what_ran_before():
    with pytest.raises(TraceError) as caught:
        tracelab.trace(stops, torch.ones(2))
    assert kinds(caught.value.graph) == ["mul", "EnterGradMode", "add", "ExitGradMode"]
    assert caught.value.graph.failed is None


def test_the_operator_that_raised_is_the_last_node():
    with pytest.raises(TraceError) as caught:
        tracelab.trace(mismatched, torch.ones(2, 3))
    graph = caught.value.graph
    assert graph.failed is graph.nodes[-1]
    assert graph.failed.kind == "aten::matmul"
    assert [value.name for value in graph.failed.inputs] == ["y", "ones"]
    assert "# failed at aten::matmul" in str(graph)


def test_the_message_names_the_operator_and_the_line():
    with pytest.raises(TraceError, match=r"raised RuntimeError at .*test_failures.py:\d+: `matmul` .*mat1 and mat2"):
        tracelab.trace(mismatched, torch.ones(2, 3))


def test_the_user_s_own_exception_is_the_cause():
    with pytest.raises(TraceError, match="the traced code raised Stop: after 1") as caught:
        tracelab.trace(stops, torch.ones(2))
    assert isinstance(caught.value.__cause__, Stop)


def test_the_failing_node_of_a_module_knows_its_scope():
    net = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.Linear(5, 5))
    with pytest.raises(TraceError) as caught:
        tracelab.trace(net, torch.ones(2, 3))
    assert caught.value.graph.failed.scope.path == "1"


def test_an_error_that_the_function_catches_is_no_part_of_the_run():
    def careful(x):
        try:
            return x @ torch.ones(7, 7)
        except RuntimeError:
            return x * 2

    traced = tracelab.trace(careful, torch.ones(2, 3))
    assert "matmul" not in kinds(traced.graph)
    agrees(traced, careful, torch.randn(2, 3))


def test_tracing_inside_tracing_is_refused_with_the_way_out():
    with pytest.raises(TraceError, match="a trace is being recorded here already"):
        tracelab.trace(lambda x: tracelab.trace(torch.neg, x)(x), torch.ones(2))


ENDINGS = {
    "success": (lambda x: x.view(x.shape[0], -1).sqrt() + torch.jit.is_tracing(), None),
    "an exception": (stops, TraceError),
    "an operator that raises": (mismatched, TraceError),
    "an interrupt": (interrupted, KeyboardInterrupt),
    "an output that is refused": (lambda x: 3, TracelabError),
    "a module that raises": (Net(), TraceError),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_torch_is_as_before_after(ending):
    function, error = ENDINGS[ending]
    before = torch_state()
    if error is None:
        tracelab.trace(function, torch.ones(2, 3), check_trace=False)
    else:
        with pytest.raises(error):
            tracelab.trace(function, torch.ones(2, 3))
    assert torch_state() == before


def test_sizes_are_plain_numbers_after_an_interrupt_in_a_module():
    class Interrupted(torch.nn.Module):
        def forward(self, x):
            interrupted(x)

    with pytest.raises(KeyboardInterrupt):
        tracelab.trace(torch.nn.Sequential(torch.nn.Linear(3, 3), Interrupted()), torch.ones(2, 3))
    assert type(torch.ones(2).shape[0]) is int
    assert not tracelab.is_tracing()


def test_libraries_are_told_that_a_trace_is_running():
    seen = []

    def ask(x):
        seen.append((torch.jit.is_tracing(), tracelab.is_tracing()))
        return x + 1

    tracelab.trace(ask, torch.ones(1))
    assert seen[0] == (True, True)


def test_a_traced_tensor_kept_by_the_function_works_afterwards():
    kept = []

    def keep(x):
        y = x * 2
        kept.append(y)
        return y

    tracelab.trace(keep, torch.ones(2, 3), check_trace=False)
    assert (kept[0] + 1).tolist() == [[3] * 3] * 2


def test_a_size_kept_by_the_function_is_a_number_afterwards_and_adds_nothing_to_the_graph():
    kept = []

    def keep(x):
        kept.append(x.shape[0])
        return x * x.shape[0]

    traced = tracelab.trace(keep, torch.ones(2, 3), check_trace=False)
    before = str(traced.graph)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert kept[0] * 2 == 4
        assert int(kept[0] + 1) == 3
    assert str(traced.graph) == before


def test_a_recording_keeps_no_activation_alive():
    kept = []

    def hidden(x):
        y = x * 2
        kept.append(weakref.ref(y))
        return y + 1

    traced = tracelab.trace(hidden, torch.ones(2), check_trace=False)
    gc.collect()
    assert kept[0]() is None
    assert traced is not None


# Threads -----------------------------------------------------------------------------------------------------


def test_two_threads_record_side_by_side_without_mixing():
    barrier = threading.Barrier(2)
    found = {}

    def record(name, function):
        def slow(x):
            for _ in range(20):
                barrier.wait(timeout=20)
                x = function(x)
            return x

        found[name] = tracelab.trace(slow, torch.ones(2), check_trace=False)

    threads = [
        threading.Thread(target=record, args=("sin", torch.sin)),
        threading.Thread(target=record, args=("exp", torch.neg)),
    ]
    before = torch_state()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert kinds(found["sin"].graph) == ["sin"] * 20
    assert kinds(found["exp"].graph) == ["neg"] * 20
    assert torch_state() == before


def test_a_thread_that_does_not_record_sees_plain_torch():
    inside, done = threading.Event(), threading.Event()
    seen = {}

    def other():
        inside.wait(timeout=20)
        x = torch.ones(2, 3)
        net = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.ReLU())
        seen["size"] = type(x.shape[0])
        seen["tracing"] = (torch.jit.is_tracing(), tracelab.is_tracing())
        seen["sum"] = sum(row.sum().item() for row in x)
        seen["net"] = tuple(net(x).shape)
        done.set()

    def slow(x):
        y = x + 1
        inside.set()
        assert done.wait(timeout=20)
        return y * 2

    thread = threading.Thread(target=other)
    thread.start()
    traced = tracelab.trace(slow, torch.ones(2), check_trace=False)
    thread.join()
    assert seen == {"size": int, "tracing": (False, False), "sum": 6.0, "net": (2, 3)}
    assert kinds(traced.graph) == ["add", "mul"]


def test_a_recording_that_ends_while_another_runs_leaves_it_running():
    first_done, second_started = threading.Event(), threading.Event()
    found = {}

    def long(x):
        y = x * 3
        second_started.set()
        assert first_done.wait(timeout=20)
        return (y.view(y.shape[0], 1) + 1).squeeze()

    def record():
        found["long"] = tracelab.trace(long, torch.ones(2), check_trace=False)

    thread = threading.Thread(target=record)
    thread.start()
    assert second_started.wait(timeout=20)
    tracelab.trace(torch.sin, torch.ones(2))
    first_done.set()
    thread.join()
    agrees(found["long"], lambda x: x * 3 + 1, torch.randn(5))


def test_repeated_tracing_does_not_grow_memory():
    net = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.ReLU())

    def objects():
        tracelab.trace(net, torch.ones(2, 3))
        gc.collect()
        return len(gc.get_objects())

    for _ in range(2):
        objects()
    before = objects()
    for _ in range(6):
        after = objects()
    assert after - before < 100


# Fields of errors --------------------------------------------------------------------------------------------


def opens(x):
    open("/no/such/file")  # noqa: SIM115
    return x


def decodes(x):
    b"\xff".decode()
    return x


def imports(x):
    import no_such_module  # noqa: F401

    return x


class Slotted(Exception):
    """An error with a field in a slot, whose constructor takes two arguments."""

    __slots__ = ("code",)

    def __init__(self, message, code):
        super().__init__(message)
        self.code = code


def raises_slotted(x):
    raise Slotted("too large", 7)


FIELDS = [
    (opens, FileNotFoundError, {"errno": 2, "filename": "/no/such/file", "strerror": "No such file or directory"}),
    (decodes, UnicodeDecodeError, {"start": 0, "encoding": "utf-8", "reason": "invalid start byte"}),
    (imports, ModuleNotFoundError, {"name": "no_such_module"}),
    (raises_slotted, Slotted, {"code": 7, "args": ("too large",)}),
]


@pytest.mark.parametrize(("function", "kind", "fields"), FIELDS, ids=lambda item: getattr(item, "__name__", ""))
def test_an_error_keeps_its_fields(function, kind, fields):
    with pytest.raises(kind) as caught:
        tracelab.trace(function, torch.ones(2))
    assert {name: getattr(caught.value, name) for name in fields} == fields


@pytest.mark.parametrize(("function", "kind", "fields"), FIELDS, ids=lambda item: getattr(item, "__name__", ""))
def test_an_error_has_the_arguments_of_the_users_own(function, kind, fields):
    with pytest.raises(kind) as plain:
        function(torch.ones(2))
    with pytest.raises(kind) as caught:
        tracelab.trace(function, torch.ones(2))
    assert caught.value.args == plain.value.args


def test_a_pickled_error_keeps_its_fields():
    with pytest.raises(FileNotFoundError) as caught:
        tracelab.trace(opens, torch.ones(2))
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.errno, again.filename) == (2, "/no/such/file")
