"""`%%trace` and `%trace` in a real IPython shell."""

from __future__ import annotations

import math
import re

import pytest
import torch
from IPython.core.error import UsageError

import tracelab
from support.replay import assert_same
from tracelab import TracedFunction


def inputs(shell):
    return [value.name for value in shell.graph.user_inputs]


def with_x(shell):
    shell.space["x"] = torch.arange(6.0).reshape(2, 3)
    return shell


def test_a_result_of_a_class_of_its_own_is_an_output(shell):
    shell.run(
        "from dataclasses import dataclass\n"
        "@dataclass\n"
        "class Result:\n"
        "    loss: object\n"
        "    cache: object\n"
        "class Cache:\n"
        "    def __init__(self, keys): self.keys, self.name = keys, 'cache'\n"
        "a = torch.ones(2)"
    )
    shell.trace("out = Result(None, Cache(a * 2))")
    traced = shell.space["_trace"](torch.zeros(2))
    assert_same(traced.cache.keys, torch.zeros(2))
    assert traced.cache.name == "cache"


# Inputs ------------------------------------------------------------------------------------------------------


def test_tensors_that_a_cell_reads_are_its_inputs(shell):
    shell.run("a = torch.ones(2); b = torch.ones(2); unused = torch.ones(2)")
    shell.trace("c = a + b")
    assert inputs(shell) == ["a", "b"]


def test_a_tensor_that_a_cell_assigns_first_is_no_input(shell):
    shell.run("a = torch.ones(2); b = torch.zeros(2)")
    shell.trace("b = a * 2\nc = b + 1")
    assert inputs(shell) == ["a"]


def test_a_tensor_that_a_cell_reads_and_assigns_is_an_input(shell):
    shell.run("a = torch.ones(2)")
    shell.trace("a = a + 1")
    assert inputs(shell) == ["a"]


def test_a_cell_run_again_has_the_same_inputs(shell):
    with_x(shell)
    found = []
    for _ in range(3):
        shell.trace("y = x + 1\nz = y * 2")
        found.append(str(shell.graph))
    assert found[0] == found[1] == found[2]


def test_what_a_cell_was_traced_on_is_kept_as_it_was(shell):
    shell.run("a = torch.ones(2); b = torch.zeros(2); c = a")
    shell.trace("if False: c = b\na.add_(1)")
    assert inputs(shell) == ["a"]
    assert [example.tolist() for example in shell.space["_trace"].examples] == [[1.0, 1.0]]


def test_the_tensors_of_a_tuple_are_inputs(shell):
    shell.run("pair = (torch.ones(2), {'k': torch.ones(2)})")
    shell.trace("c = pair[0] * 3 + pair[1]['k']")
    assert inputs(shell) == ["pair.0", 'pair.1["k"]']
    assert_same(shell.space["_trace"]((torch.ones(3), {"k": torch.ones(3)})), torch.full((3,), 4.0))


@pytest.mark.parametrize("made", ["[torch.ones(2), torch.ones(2)]", "{0: torch.ones(2), 1: torch.ones(2)}"])
def test_a_list_or_dict_of_tensors_is_an_input(shell, made):
    shell.run(f"both = {made}")
    shell.trace("c = both[0] + both[1]")
    assert len(shell.graph.user_inputs) == 2


def test_a_tensor_that_a_function_of_the_notebook_reads_is_a_constant(shell):
    shell.run("a = torch.ones(2); k = torch.ones(2)\ndef g(t):\n    return t * k")
    shell.trace("c = g(a)")
    assert inputs(shell) == ["a"]


def test_names_restrict_the_inputs(shell):
    shell.run("a = torch.ones(2); b = torch.ones(2)")
    shell.trace("c = a + b", "b")
    assert inputs(shell) == ["b"]


def test_an_unknown_name_is_refused_in_one_sentence(shell):
    ran = with_x(shell).run("%%trace nobody\ny = x + 1")
    assert isinstance(ran.error, UsageError)
    assert ran.out.strip() == "UsageError: %%trace: there is no variable `nobody` to take as input"


def test_a_name_without_tensors_is_refused_in_one_sentence(shell):
    shell.run("n = 3")
    ran = with_x(shell).run("%%trace n\ny = x + n")
    assert isinstance(ran.error, UsageError)
    assert len(ran.out.strip().splitlines()) == 1
    assert "`n` (int) cannot be an input" in ran.out


def test_a_refused_cell_does_not_run(shell):
    with_x(shell).run("%%trace nobody\ny = x + 1")
    assert "y" not in shell.space


# Outputs -----------------------------------------------------------------------------------------------------


def test_a_single_output_is_given_as_it_is(shell):
    with_x(shell).trace("y = x + 1")
    assert_same(shell.space["_trace"](torch.zeros(2)), torch.ones(2))


def test_several_outputs_are_given_by_name(shell):
    with_x(shell).trace("y = x + 1\nz = y * 2")
    assert_same(shell.space["_trace"](torch.zeros(1)), {"y": torch.ones(1), "z": torch.full((1,), 2.0)})


def test_the_last_expression_is_the_result(shell):
    with_x(shell).trace("y = x + 1\ny * 2")
    assert list(shell.space["_trace"](torch.zeros(1))) == ["y", "result"]


def test_a_lone_expression_is_given_as_it_is(shell):
    with_x(shell).trace("x * 2")
    assert_same(shell.space["_trace"](torch.ones(1)), torch.full((1,), 2.0))


def test_numbers_and_texts_are_no_outputs(shell):
    with_x(shell).trace("n = 3\nname = 'a'\ny = x * n")
    assert len(shell.graph.outputs) == 1


def test_a_cell_leaves_the_variables_that_it_would_leave(shell):
    with_x(shell).trace("y = x + 1\nn = x.shape[0]\nk = [n, 'a']")
    assert_same(shell.space["y"], shell.space["x"] + 1)
    assert type(shell.space["n"]) is int
    assert [type(item) for item in shell.space["k"]] == [int, str]


def test_the_trace_gets_the_name_that_is_asked_for(shell):
    with_x(shell).trace("y = x + 1", "-o kept")
    assert isinstance(shell.space["kept"], TracedFunction)
    assert "_trace" not in shell.space


def test_a_trace_runs_on_other_shapes_by_name(shell):
    shell.run("a = torch.ones(2, 3); b = torch.ones(3)")
    shell.trace("c = (a * 2 - b).view(a.shape[0], -1).sum(1)")
    a, b = torch.randn(5, 7), torch.randn(7)
    assert_same(shell.space["_trace"](b=b, a=a), (a * 2 - b).sum(1))


# Modules -----------------------------------------------------------------------------------------------------


def test_a_module_that_a_cell_calls_is_a_scope(shell):
    with_x(shell).run("model = nn.Sequential(nn.Linear(3, 4), nn.ReLU())")
    shell.trace("y = model(x)")
    assert [scope.path for scope in shell.graph.scopes()][1:] == ["model", "model.0", "model.1"]


def test_the_parameters_of_a_module_are_parameters_of_the_trace(shell):
    with_x(shell).run("model = nn.Linear(3, 4)")
    shell.trace("y = model(x)")
    assert [value.path for value in shell.graph.parameters] == ["model.weight", "model.bias"]


def test_a_traced_module_replays(shell):
    with_x(shell).run("model = nn.Linear(3, 4)")
    shell.trace("y = model(x)")
    x = torch.randn(9, 3)
    assert_same(shell.space["_trace"](x), shell.space["model"](x))


# What is shown -----------------------------------------------------------------------------------------------


def test_outside_of_a_notebook_the_summary_is_printed(shell):
    out = with_x(shell).trace("y = x + 1")
    assert out == "cell: 1 op\ninputs\n  x  float32[2, 3]\noutputs\n  y  float32[2, 3]\n"


def test_what_a_cell_prints_is_printed(shell):
    assert with_x(shell).trace("print('hello')\ny = x + 1").startswith("hello\n")


def test_check_prints_that_the_trace_agrees(shell):
    assert "check: the trace gives what the cell gave on the same inputs\n" in with_x(shell).trace(
        "y = x + torch.rand(3)", "--check"
    )


def test_check_prints_that_the_trace_differs(shell):
    out = with_x(shell).trace("y = x.mul(2)\ny.data.zero_()\ny.numpy()[:] = 7", "--check")
    assert "check: " in out
    assert "the trace gives what the cell gave" not in out


def test_check_tells_of_inputs_on_which_cell_and_trace_differ(shell):
    out = with_x(shell).trace("if x.sum() > 0:\n    y = x * 2\nelse:\n    y = -x", "--check")
    assert out.endswith(
        "check of cell: 1 error, 37 inputs tried, 1 more rejected by the function, the trace is wrong for 4\n"
        "✗ different_structure, cell:2: if x.sum() > 0:\n"
        "    Graphs differed across invocations: the condition was True when traced and is False for x negated; Output "
        "nr 1.\n    of the traced function does not match the corresponding output of the Python function: 5 of 6 "
        "elements differ.\n    Greatest absolute difference: 15 at [1, 2], greatest relative difference: 3; a call is "
        "told of it\n"
        "    → choose with tensors (torch.where, torch.cond), or trace each branch by itself\n"
        "specialized on\n"
        "  cell:2: if x.sum() > 0:  → wrong for x negated\n"
        "assumed\n"
        "  cell:2: x.sum() > 0 is True  → told at the call: wrong for x negated\n"
    )


def test_check_leaves_variables_and_prints_as_one_run_of_the_cell_does(shell):
    shell.run("count = 0; seen = []")
    out = with_x(shell).trace("count += 1\nseen.append(count)\nprint('once')\ny = x * 2", "--check")
    assert out.count("once") == 1
    assert (shell.space["count"], shell.space["seen"]) == (1, [1])


def test_a_checked_line(shell):
    shell.run("net = torch.nn.Linear(3, 2)")
    assert "check of cell: no difference found, 3" in with_x(shell).run("%trace --check net(x)").out


def test_check_takes_the_inputs_as_they_were_before_the_cell(shell):
    with_x(shell)
    assert "check: the trace gives what the cell gave on the same inputs\n" in shell.trace(
        "x.add_(1)\ny = x * 2", "--check"
    )


def test_check_leaves_the_random_state_as_the_cell_left_it(shell):
    with_x(shell)
    torch.manual_seed(3)
    shell.trace("y = x + torch.rand(3)", "--check")
    after = torch.rand(1)
    torch.manual_seed(3)
    torch.rand(3)
    assert_same(after, torch.rand(1))


def test_check_leaves_every_generator_and_tensor_as_the_cell_left_it(shell):
    results = []
    for options in ("", "--check"):
        shell.run(
            "import random, numpy as np\n"
            "torch.manual_seed(3); random.seed(3); np.random.seed(3)\n"
            "made = torch.Generator().manual_seed(3); drawn = np.random.default_rng(3)\n"
            "total = torch.zeros(3); held = {'sum': torch.zeros(3)}; x = torch.ones(2, 3)"
        )
        shell.trace(
            "total.add_(x.sum(0))\n"
            "held['sum'].add_(torch.rand(3, generator=made))\n"
            "noise = torch.rand(3) + random.random() + np.random.rand() + drawn.random()\n"
            "y = x + total + held['sum'] + noise * 0",
            options,
        )
        shell.run(
            "after = [total.tolist(), held['sum'].tolist(), torch.rand(1).item(), random.random(), np.random.rand(), "
            "torch.rand(1, generator=made).item(), drawn.random()]"
        )
        results.append(shell.space["after"])
    assert results[0] == results[1]


def test_a_warning_is_shown_with_its_line(shell):
    out = with_x(shell).trace("y = x + 1\nif y.sum() > 0:\n    y = y * 2")
    assert "this cell, line 3: if y.sum() > 0:" in out
    assert "Converting a tensor to a Python boolean (True)" in out


def test_a_warning_is_shown_once(shell, recwarn):
    out = with_x(shell).trace("y = x + 1\nif y.sum() > 0:\n    y = y * 2")
    assert out.count("Converting a tensor") == 1
    assert not [item for item in recwarn if issubclass(item.category, tracelab.TracerWarning)]


def test_the_line_of_the_magic_counts(shell):
    with_x(shell).trace("# a comment\ny = x + 1\nz = y * 2")
    assert [node.source.line for node in shell.graph.nodes if node.source is not None] == [3, 4]


def test_help_of_the_cell_magic_runs_nothing(shell):
    out = with_x(shell).trace("y = x + 1", "--help")
    assert "Run the cell once" in out
    assert "--check" in out
    assert "y" not in shell.space


@pytest.mark.parametrize("cell", ["%%trace --help", "\n%%trace   --help  \n\n"])
def test_help_of_the_cell_magic_needs_no_cell_body(shell, cell):
    ran = shell.run(cell)
    assert ran.error is None
    assert "Run the cell once" in ran.out


@pytest.mark.parametrize("cell", ["%%trace", "%%trace -o kept", "%%time"])
def test_other_cell_magics_without_a_body_are_left_to_the_shell(shell, cell):
    ran = shell.run(cell)
    assert "cell body is empty" in f"{ran.out}{ran.error}"


def test_the_extension_can_be_unloaded(shell):
    shell.run("%unload_ext tracelab")
    try:
        assert "not found" in shell.run("%%trace --help\n1").out
        assert "not found" in shell.run("%%trace --help").out
        assert "not found" in shell.run("%trace_diff --help").out
    finally:
        shell.run("%load_ext tracelab")


def test_a_reloaded_extension_gives_help_once(shell):
    shell.run("%reload_ext tracelab")
    assert shell.run("%%trace --help").out.count("Run the cell once") == 1


def test_an_unknown_option_runs_nothing(shell):
    with_x(shell).run("%%trace --nonsense\ny = x + 1")
    assert "y" not in shell.space


REFUSED_OPTIONS = {
    "--nonsense": "%%trace does not know the option --nonsense; see %%trace --help",
    "--chekc": "%%trace does not know the option --chekc (did you mean --check?); see %%trace --help",
    "--stric x": "%%trace does not know the option --stric (did you mean --strict?); see %%trace --help",
    "-x": "%%trace does not know the option -x; see %%trace --help",
    "--check=3": "%%trace --check takes no value, but got '3'; see %%trace --help",
    "-o": "%%trace -o needs the name of a variable, as in %%trace -o kept",
    "-o --check": "%%trace -o needs the name of a variable, as in %%trace -o kept",
    "-o 3": "%%trace -o needs the name of a variable, not '3'",
    "-o a.b": "%%trace -o needs the name of a variable, not 'a.b'",
    "--output=a.b": "%%trace -o needs the name of a variable, not 'a.b'",
    "-o class": "%%trace -o needs the name of a variable, not 'class', a keyword of Python",
}


@pytest.mark.parametrize("options", REFUSED_OPTIONS)
def test_a_wrong_option_is_refused_in_one_sentence(shell, options):
    ran = with_x(shell).run(f"%%trace {options}\ny = x + 1")
    assert ran.out.strip() == f"UsageError: {REFUSED_OPTIONS[options]}"


def test_names_may_stand_on_both_sides_of_an_option(shell):
    shell.run("a = torch.ones(2); b = torch.ones(2); c = torch.ones(2)")
    shell.trace("d = a + b + c", "a --no-widget b")
    assert inputs(shell) == ["a", "b"]


def test_a_cell_with_a_top_level_await_runs(shell):
    ran = with_x(shell).run("%%trace\nimport asyncio\nawait asyncio.sleep(0)\ny = x + 1")
    assert ran.error is None
    assert inputs(shell) == ["x"]


WAITING = """import asyncio
async def doubled(x):
    await asyncio.sleep(0)
    return x * 2
"""


def test_what_is_awaited_has_the_name_that_it_is_given(shell):
    with_x(shell).run(f"{WAITING}")
    shell.run("%%trace\nasync with asyncio.timeout(9):\n    y = await doubled(x)")
    assert [value.name for value in shell.graph.outputs] == ["y"]


def test_tasks_that_a_cell_waits_for_are_no_rounds_of_the_event_loop(shell):
    with_x(shell).run(WAITING)
    ran = shell.run("%%trace\na, b = await asyncio.gather(doubled(x), doubled(x + 1))")
    assert ran.error is None
    assert "round" not in ran.out


def test_a_task_of_another_cell_is_refused_with_the_way_out(shell):
    import asyncio

    ran = []

    async def kernel() -> None:
        with_x(shell).run(WAITING)
        shell.space["task"] = asyncio.ensure_future(shell.space["doubled"](shell.space["x"]))
        ran.append(shell.run("%%trace\ny = await task"))
        await shell.space["task"]

    asyncio.run(kernel())
    assert "begin it in this cell" in str(ran[0].error)


# Errors ------------------------------------------------------------------------------------------------------

FAILS = "%%trace\ny = x * 2\nz = y @ torch.ones(7, 7)\nw = z + 1"


def test_an_error_keeps_the_variables_before_it(shell):
    with_x(shell).run(FAILS)
    assert_same(shell.space["y"], shell.space["x"] * 2)
    assert "z" not in shell.space


def test_an_error_is_the_error_of_the_cell(shell):
    ran = with_x(shell).run(FAILS)
    assert type(ran.error) is RuntimeError


def test_an_error_shows_the_line_of_the_cell(shell):
    out = with_x(shell).run(FAILS).out
    assert "----> 3 z = y @ torch.ones(7, 7)" in out
    assert out.count("Traceback (most recent call last)") == 1


def test_an_error_shows_no_frame_of_this_package(shell):
    out = with_x(shell).run(FAILS).out
    assert "tracelab" not in out.partition("Traceback")[2]


def test_an_error_shows_the_frames_of_functions_of_the_notebook(shell):
    with_x(shell).run("def inner(t):\n    return t @ torch.ones(7, 7)")
    out = shell.run("%%trace\ny = inner(x)").out
    assert re.search("----> 2 +return t @ torch", out)
    assert "----> 2 y = inner(x)" in out


def test_an_error_shows_what_ran_before_it(shell):
    out = with_x(shell).run(FAILS).out
    assert "failed at aten::matmul, this cell, line 3" in out


def test_an_error_assigns_no_trace(shell):
    with_x(shell).run(FAILS)
    assert "_trace" not in shell.space


def test_an_unknown_variable_is_a_name_error(shell):
    ran = with_x(shell).run("%%trace\ny = x + nobody")
    assert type(ran.error) is NameError
    assert "name 'nobody' is not defined" in ran.out


def test_a_syntax_error_is_shown_as_one(shell):
    ran = with_x(shell).run("%%trace\ny = x +")
    assert "SyntaxError: invalid syntax" in ran.out
    assert "tracelab" not in ran.out
    assert "y" not in shell.space


def state():
    """What a recording replaces."""
    x = torch.ones(2, 3)
    return {
        "call": torch.nn.Module.__call__,
        "sqrt": math.sqrt,
        "sizes": [type(x.shape[0]), type(x.size(0)), type(x.numel())],
        "modes": torch._C._len_torch_function_stack(),
        "own": tracelab.is_tracing(),
    }


@pytest.mark.filterwarnings("ignore:To exit")
@pytest.mark.parametrize(
    "last",
    ["", "1 / 0", "raise KeyboardInterrupt", "raise SystemExit", "y @ torch.ones(7)", "nobody"],
    ids=["none", "error", "interrupt", "exit", "operator", "name"],
)
def test_torch_is_as_before_after_a_cell(shell, last):
    before = state()
    with_x(shell).run(f"%%trace\ny = x * x.shape[0]\n{last}")
    assert state() == before


def test_an_interrupt_keeps_the_variables_before_it(shell):
    ran = with_x(shell).run("%%trace\ny = x * 2\nraise KeyboardInterrupt\nz = y")
    assert isinstance(ran.error, KeyboardInterrupt)
    assert "y" in shell.space
    shown = ran.out.partition("Traceback")[2]
    assert "tracelab.last_failure() is the graph of what ran before" in shown
    assert "tracelab/" not in shown


def test_a_cell_after_a_failed_one_is_traced(shell):
    with_x(shell).run(FAILS)
    shell.trace("y = x + 1")
    assert inputs(shell) == ["x"]


# %trace ------------------------------------------------------------------------------------------------------


def test_the_line_magic_traces_one_call(shell):
    with_x(shell).run("model = nn.Linear(3, 4)")
    ran = shell.run("%trace model(x)")
    assert ran.error is None
    assert ran.out.startswith("cell: 1 op, 16 parameters (64 B)")
    x = torch.randn(5, 3)
    assert_same(shell.space["_trace"](x), shell.space["model"](x))


def test_the_line_magic_takes_a_name_for_the_trace(shell):
    with_x(shell).run("%trace -o kept torch.relu(x - 1)")
    assert_same(shell.space["kept"](torch.full((2,), 3.0)), torch.full((2,), 2.0))


def test_help_of_the_line_magic_runs_nothing(shell):
    ran = with_x(shell).run("%trace --help")
    assert ran.error is None
    assert "%trace model(x)" in ran.out
    assert "_trace" not in shell.space


def test_the_line_magic_without_a_call_is_refused(shell):
    ran = with_x(shell).run("%trace")
    assert isinstance(ran.error, UsageError)
    assert "%trace needs a call to trace: %trace model(x)" in ran.out


def test_an_error_in_the_line_magic_is_the_error_of_the_call(shell):
    ran = with_x(shell).run("%trace torch.ones(7) @ x")
    assert type(ran.error) is RuntimeError
    assert "tracelab" not in ran.out.partition("Traceback")[2]


def test_a_wrong_option_of_the_line_magic_is_refused_in_one_sentence(shell):
    assert str(with_x(shell).run("%trace --chekc torch.relu(x)").error) == (
        "%trace does not know the option --chekc (did you mean --check?); see %trace --help"
    )


@pytest.mark.parametrize(
    ("line", "rest"),
    [
        ("-o", "as in %trace -o kept"),
        ("-o 3 torch.relu(x)", "not '3'"),
        ("-o if torch.relu(x)", "not 'if', a keyword of Python"),
    ],
)
def test_the_line_magic_names_no_trace_by_what_is_no_name(shell, line, rest):
    assert str(with_x(shell).run(f"%trace {line}").error) == f"%trace -o needs the name of a variable, {rest}"


@pytest.mark.parametrize("line", ["net", "--check net", "nets['first']", "net.forward"])
def test_a_callable_that_is_not_called_is_refused_with_its_call(shell, line):
    with_x(shell).run("net = nn.Linear(3, 4); nets = {'first': net}")
    ran = shell.run(f"%trace {line}")
    name = line.split()[-1]
    assert ran.out.strip() == f"UsageError: %trace {name} calls nothing: call it, as in %trace {name}(x)"
    assert "_trace" not in shell.space


@pytest.mark.parametrize("line", ["3", "x", "x.shape[0]", "z = x", "lambda x: x"])
def test_a_line_that_calls_nothing_is_refused(shell, line):
    ran = with_x(shell).run(f"%trace {line}")
    assert ran.out.strip() == f"UsageError: %trace {line} calls nothing: give a call, as in %trace model(x)"


@pytest.mark.parametrize("line", ["x + 1", "x.T", "x[0]", "len('no tensor')"])
def test_a_line_with_an_operator_or_a_call_is_traced(shell, line):
    assert with_x(shell).run(f"%trace {line}").error is None


# What a check suggests ---------------------------------------------------------------------------------------


def suggestions(shell, cell):
    with_x(shell).run("net = nn.Sequential(nn.Linear(3, 3), nn.Dropout())")
    out = shell.trace(cell, "--check")
    return " ".join(out.partition("→ ")[2].split())


def test_random_numbers_of_a_cell_are_to_be_seeded_or_passed_in(shell):
    assert suggestions(shell, "y = x + torch.rand(3)") == (
        "seed in the traced code (torch.manual_seed(0)), or pass the random numbers in as an input; where they are "
        "meant, check with traced.check(allow={'nondeterminism'})"
    )


def test_what_is_suggested_for_random_numbers_of_a_cell_helps(shell):
    with_x(shell).run("noise = torch.rand(3)")
    assert "no difference found" in shell.trace("torch.manual_seed(0)\ny = x + torch.rand(3)", "--check")
    assert "no difference found" in shell.trace("y = x + noise", "--check")
    shell.trace("y = x + torch.rand(3)", "--check")
    assert shell.space["_trace"].check(allow={"nondeterminism"}).ok


def test_dropout_of_a_module_in_a_cell_is_to_be_switched_off(shell):
    assert suggestions(shell, "y = net(x)").startswith("call .eval() on the model before tracing; where")


# Errors ------------------------------------------------------------------------------------------------------


def test_a_traceback_names_the_cell_that_ran(shell):
    with_x(shell)
    number = shell.shell.execution_count
    ran = shell.run("%%trace\ny = x @ x")
    assert f"Cell In[{number}], line 2" in ran.out


def test_a_traceback_has_the_cell_alone_and_what_clashes(shell):
    ran = with_x(shell).run("%%trace\nmodel = nn.Sequential(nn.Linear(7, 2))\ny = model(x)")
    shown = ran.out.partition("Traceback")[2]
    assert "site-packages" not in shown
    assert (
        "`linear` expects 7 features and gets 3: x is float32[2, 3], weight float32[2, 7], in `model.0` (Linear)"
        in shown
    )
    assert "cell:3" in shown


def test_a_trace_that_raises_in_a_cell_shows_the_user_s_frames(shell):
    ran = with_x(shell).run("def f(x):\n    return x.view(7)\ntracelab.trace(f, x)".join(["import tracelab\n", "\n"]))
    shown = ran.out.partition("Traceback")[2]
    assert shown.count("Cell In[") == 2
    assert "`view` cannot give 6 elements the shape [7], which has 7: x is float32[2, 3]" in shown
