"""Nothing in a file runs, and no Python or TorchScript code is reached, unless the user allows it by name."""

from __future__ import annotations

import sys

import pytest
import torch

import tracelab
from support.archives import again, edited, entries, from_bytes, to_bytes
from tracelab.errors import TracelabFileError
from tracelab.graph.intrinsics import INTRINSICS, intrinsic_of

NAME = f"{__name__}:Double"


class Double(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, grad):
        return grad * 2


@torch.jit.script
def positive(x: torch.Tensor) -> torch.Tensor:
    if bool(x.sum() > 0):
        return x
    return -x


@pytest.fixture
def python_trace():
    return tracelab.trace(lambda x: Double.apply(x) + 1, torch.ones(2))


@pytest.fixture
def script_trace():
    return tracelab.trace(lambda x: positive(x) + 1, torch.ones(2))


def test_python_code_shows(python_trace):
    assert str(again(python_trace).graph) == str(python_trace.graph)


def test_python_code_refuses_to_run_and_says_how_to_allow_it(python_trace):
    with pytest.raises(tracelab.TracelabError, match=rf"allow=.'{NAME}'"):
        again(python_trace)(torch.ones(2))


def test_python_code_runs_when_allowed(python_trace):
    assert again(python_trace, allow={NAME})(torch.ones(2)).tolist() == [3.0, 3.0]


def test_allowed_python_code_keeps_its_gradient(python_trace):
    x = torch.ones(2, requires_grad=True)
    again(python_trace, allow={NAME})(x).sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_another_name_does_not_allow_it(python_trace):
    with pytest.raises(tracelab.TracelabError, match="Python code"):
        again(python_trace, allow={"somewhere:Else"})(torch.ones(2))


def test_a_refused_node_is_saved_again_as_it_was(python_trace):
    assert again(again(python_trace), allow={NAME})(torch.ones(2)).tolist() == [3.0, 3.0]


def test_no_module_is_imported_because_a_file_names_it(python_trace):
    content = edited(to_bytes(python_trace), lambda d: rename(d, "antigravity:fly"))
    from_bytes(content)
    assert "antigravity" not in sys.modules


def rename(document, name):
    for node in document["graphs"][0][1]["nodes"]:
        if "python" in (node["run"] or {}):
            node["run"]["python"] = name


def test_an_allowed_name_that_is_not_there_is_named(python_trace):
    content = edited(to_bytes(python_trace), lambda d: rename(d, "tracelab:nothing"))
    with pytest.raises(TracelabFileError, match="tracelab:nothing was allowed, but cannot be imported"):
        from_bytes(content, allow={"tracelab:nothing"})


def test_torchscript_code_shows(script_trace):
    assert str(again(script_trace).graph) == str(script_trace.graph)


def test_torchscript_code_refuses_to_run(script_trace):
    with pytest.raises(tracelab.TracelabError, match="TorchScript code"):
        again(script_trace)(torch.ones(2))


def test_torchscript_code_is_not_even_read(script_trace, monkeypatch):
    monkeypatch.setattr(torch.jit, "load", lambda *args: pytest.fail("read TorchScript code"))
    again(script_trace)


@pytest.mark.parametrize("name", ["torchscript", positive.qualified_name])
def test_torchscript_code_runs_when_allowed(script_trace, name):
    assert again(script_trace, allow={name})(torch.tensor([-1.0, -2.0])).tolist() == [2.0, 3.0]


def test_refused_torchscript_code_is_saved_again(script_trace):
    twice = again(again(script_trace), allow={"torchscript"})
    assert twice(torch.tensor([-1.0, -2.0])).tolist() == [2.0, 3.0]


def test_one_script_function_is_stored_once():
    traced = tracelab.trace(lambda x: positive(positive(x)), torch.ones(2))
    assert [name for name in entries(to_bytes(traced)) if name.startswith("script/")] == ["script/0.pt"]


def test_an_unknown_operator_shows_and_refuses_by_name():
    traced = tracelab.trace(lambda x: x.relu() + 1, torch.ones(2))

    def change(document):
        node = document["graphs"][0][1]["nodes"][0]
        node.update(kind="nolibrary::relu", run={"operator": "nolibrary::relu"})

    loaded = from_bytes(edited(to_bytes(traced), change))
    assert loaded.graph.nodes[0].kind == "nolibrary::relu"
    with pytest.raises(tracelab.TracelabError, match="operator nolibrary::relu is not registered"):
        loaded(torch.ones(2))


def test_an_operator_that_opens_files_must_be_allowed():
    graph = tracelab.trace(lambda x: x.relu(), torch.ones(2))

    def change(document):
        node = document["graphs"][0][1]["nodes"][0]
        node.update(kind="aten::from_file", args=["/etc/hostname"], run={"operator": "aten::from_file"})

    loaded = from_bytes(edited(to_bytes(graph), change))
    with pytest.raises(tracelab.TracelabError, match="aten::from_file opens files"):
        loaded(torch.ones(2))


def seeded(x):
    generator = torch.Generator().manual_seed(3)
    return x + torch.rand(2, generator=generator)


def seeded_by_default(x):
    torch.default_generator.manual_seed(3)
    return x + torch.rand(2)


OWN = torch.Generator()


def seeded_elsewhere(x):
    OWN.manual_seed(3)
    return x + torch.rand(2, generator=OWN)


def draws_twice_the_same(x):
    state = torch.default_generator.get_state()
    x = x + torch.rand(2)
    torch.default_generator.set_state(state)
    return x * torch.rand(2)


def differentiated(x):
    y = x.detach().requires_grad_()
    (gradient,) = torch.autograd.grad((y**3).sum(), y)
    return gradient


@pytest.mark.parametrize(
    "function",
    [
        lambda x: torch.add(2, x),
        lambda x: torch.mul(x.shape[0], x),
        lambda x: 3 // (x + 1),
        seeded,
        seeded_by_default,
        seeded_elsewhere,
        draws_twice_the_same,
        differentiated,
    ],
    ids=[
        "a number first",
        "a size first",
        "a number in front",
        "a generator",
        "the default generator",
        "a generator of before",
        "a generator's state",
        "autograd.grad",
    ],
)
def test_a_call_of_torch_alone_runs_from_a_file(function):
    x = torch.tensor([1.0, 2.0])
    loaded = again(tracelab.trace(function, torch.ones(2)))
    torch.manual_seed(5)
    expected = function(x)
    torch.manual_seed(5)
    assert torch.equal(loaded(x), expected)


def test_a_call_of_a_generator_that_has_none_is_refused():
    traced = tracelab.trace(seeded_by_default, torch.ones(2))
    content = edited(to_bytes(traced), lambda d: d["graphs"][0][1]["nodes"][0].update(args=[3, 3]))
    with pytest.raises(tracelab.TracelabFileError, match="lacks its generator"):
        from_bytes(content)


def test_a_number_in_place_of_a_tensor_that_a_method_is_called_on_refuses():
    traced = tracelab.trace(lambda x: x.view(2), torch.ones(2))
    content = edited(to_bytes(traced), lambda d: d["graphs"][0][1]["nodes"][0].update(args=[2, [2]]))
    with pytest.raises(tracelab.TracelabError, match=r"aten::view was recorded with other arguments"):
        from_bytes(content)(torch.ones(2))


def test_an_operator_of_another_signature_refuses():
    traced = tracelab.trace(lambda x: x.relu(), torch.ones(2))
    content = edited(to_bytes(traced), lambda d: d["graphs"][0][1]["nodes"][0]["args"].extend([1, 2]))
    with pytest.raises(tracelab.TracelabError, match=r"aten::relu was recorded with other arguments"):
        from_bytes(content)(torch.ones(2))


INJECTED = "__import__('os').system('true')"


@pytest.mark.parametrize(
    "change",
    [
        lambda node: node.update(kwargs={f"dtype={INJECTED}, x": 1}),
        lambda node: node.update(kind="prim::EnterGradMode", run=None, args=[INJECTED], outputs=[]),
        lambda node: node.update(
            kind="prim::TupleConstruct", run=None, attributes={"class": INJECTED, "fields": ["a"]}
        ),
        lambda node: node.update(
            kind="prim::TupleConstruct", run=None, attributes={"class": "C", "fields": [INJECTED]}
        ),
        lambda node: node.update(args=[{"namedtuple": [INJECTED, ["a"], [1]]}]),
        lambda node: node.update(args=[{"namedtuple": ["C", ["class"], [1]]}]),
    ],
)
def test_text_of_a_file_never_becomes_code(change):
    traced = tracelab.trace(lambda x: x.relu(), torch.ones(2))
    content = edited(to_bytes(traced), lambda d: change(d["graphs"][0][1]["nodes"][0]))
    with pytest.raises(TracelabFileError):
        from_bytes(content)


@pytest.mark.parametrize("name", ["aten::__class__", "import_module::os", "aten::relu.__class__", "_dir::x"])
def test_an_operator_name_reaches_operators_only(name):
    traced = tracelab.trace(lambda x: x.relu(), torch.ones(2))
    content = edited(to_bytes(traced), lambda d: d["graphs"][0][1]["nodes"][0].update(run={"operator": name}))
    with pytest.raises(tracelab.TracelabError, match="not registered"):
        from_bytes(content)(torch.ones(2))


def test_a_loaded_source_opens_no_file(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("secret\n")
    traced = tracelab.trace(lambda x: x.relu(), torch.ones(2))

    def change(document):
        for row in document["graphs"][0][1]["sources"]:
            row[0], row[2], row[6] = str(secret), 1, "shown"

    source = from_bytes(edited(to_bytes(traced), change)).graph.nodes[0].source
    assert (source.file, source.text) == (str(secret), "shown")


NAMES_IN_FILES = """
    Generator Generator.get_state Generator.manual_seed Generator.seed Generator.set_state OrderedDict Parameter
    Tensor.item Tensor.numel Tensor.requires_grad_ Tensor.size abs add and autocast autograd.backward autograd.grad
    backward bitand bitor bitxor data eq float floordiv ge get_rng_state getitem grad gt int le lshift lt manual_seed
    math.acos math.asin math.atan math.atan2 math.ceil math.copysign math.cos math.cosh math.exp math.expm1 math.fabs
    math.floor math.fmod math.gcd math.hypot math.isqrt math.lcm math.log math.log10 math.log1p math.log2 math.pow
    math.sin math.sinh math.sqrt math.tan math.tanh max min mod mul ne neg not or pos pow record_function retain_grad
    round rshift set_data set_grad set_rng_state sub torch.as_tensor torch.tensor truediv trunc
""".split()


@pytest.mark.parametrize("name", NAMES_IN_FILES)
def test_a_function_that_files_name_stays_known_by_that_name(name):
    intrinsic = INTRINSICS[name]
    assert intrinsic.trusted
    assert intrinsic_of(intrinsic.function).name == name


@pytest.mark.parametrize("name", ["as_subclass", "set_default_dtype"])
def test_a_function_that_changes_more_than_its_run_is_not_run_unasked(name):
    assert not INTRINSICS[name].trusted


class Named(dict):
    pass


def named_dict(x):
    return Named(a=x + 1)


def test_a_result_of_ones_own_class_comes_back_plain():
    traced = tracelab.trace(named_dict, torch.ones(2), strict=False)
    assert type(again(traced)(torch.ones(2))) is dict


def test_a_result_of_ones_own_class_comes_back_as_it_was_when_allowed():
    traced = tracelab.trace(named_dict, torch.ones(2), strict=False)
    assert type(again(again(traced), allow={f"{__name__}:Named"})(torch.ones(2))) is Named


def traced_with_a_local_class():
    class Apply(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, function):
            return function(x)

    return tracelab.trace(lambda x: Apply.apply(x, torch.relu), torch.ones(2))


def test_code_inside_of_a_function_is_refused_as_it_is_saved():
    with pytest.raises(
        tracelab.TracelabFileError,
        match=r"Apply at test_archive_code\.py:\d+ cannot run from a file, .* inside of a function, which files "
        r"neither hold nor find again: define it at the top of a module and trace again, or save its graph to look at",
    ):
        to_bytes(traced_with_a_local_class())


def test_the_graph_of_such_a_trace_is_saved_to_be_looked_at():
    loaded = from_bytes(to_bytes(traced_with_a_local_class().graph))
    assert loaded.graph.nodes[0].kind == "prim::PythonOp"
    with pytest.raises(tracelab.TracelabError, match="inside of a function, which files neither hold nor find again"):
        loaded(torch.ones(2))


class Twice(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, function):
        return function(function(x))


def test_code_of_torch_inside_of_a_function_is_refused_as_it_is_saved():
    def mean(x, mask):
        return torch.masked.masked_tensor(x, mask).mean()

    x = torch.randn(4)
    traced = tracelab.trace(mean, (x, x > 0), check_trace=False)
    with pytest.raises(
        tracelab.TracelabFileError, match=r"Combine at test_archive_code\.py.* find again: save its graph"
    ):
        to_bytes(traced)


def test_a_function_as_an_argument_is_refused_as_it_is_saved():
    traced = tracelab.trace(lambda x: Twice.apply(x, torch.relu), torch.ones(2))
    with pytest.raises(tracelab.TracelabFileError, match="it was called with a builtin_function_or_method"):
        to_bytes(traced)


class Caller:
    def __call__(self, x):
        return x + 1


def test_an_object_that_is_called_is_refused_as_it_is_saved():
    traced = tracelab.trace(torch.relu, torch.ones(2))
    traced.graph.nodes[0].target = Caller()
    with pytest.raises(tracelab.TracelabFileError, match=r"it calls .*Caller, which files neither hold nor find again"):
        to_bytes(traced)


class Scaled(torch.nn.Module):
    def forward(self, x):
        class Half(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                return x / 2

        return Half.apply(x)


def test_the_module_that_calls_it_is_named():
    traced = tracelab.trace(torch.nn.Sequential(torch.nn.ReLU(), Scaled()), torch.ones(2))
    with pytest.raises(tracelab.TracelabFileError, match="cannot save `1`: Half"):
        to_bytes(traced)


def test_a_file_that_only_shows_is_not_saved_again_as_one_that_runs():
    loaded = from_bytes(to_bytes(traced_with_a_local_class().graph))
    with pytest.raises(tracelab.TracelabFileError, match="was in a file that shows it, and cannot run it"):
        to_bytes(loaded)
    assert str(from_bytes(to_bytes(loaded.graph)).graph) == str(loaded.graph)
