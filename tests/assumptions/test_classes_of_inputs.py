"""What code decides by the class of a tensor that it is given."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

import tracelab
from tracelab import AssumptionWarning


class Marked(Tensor):
    """A tensor of a class of its own, with torch's own rules."""

    factor = 2


GIVEN = {
    "Tensor": torch.ones(3),
    "Parameter": nn.Parameter(torch.ones(3)),
    "Marked": torch.ones(3).as_subclass(Marked),
    "Buffer": nn.Buffer(torch.ones(3)),
}


def _is_plain(x: Tensor) -> bool:
    return type(x) is Tensor


def _is_marked(x: Tensor) -> bool:
    return isinstance(x, Marked)


def by_type(x: Tensor) -> Tensor:
    return x * 2 if type(x) is Tensor else x * 3


def by_the_class_attribute(x: Tensor) -> Tensor:
    return x * 2 if x.__class__ in (Tensor, Marked) else x * 3


def by_isinstance(x: Tensor) -> Tensor:
    return x * 2 if isinstance(x, Marked) else x * 3


def by_isinstance_of_a_parameter(x: Tensor) -> Tensor:
    return x * 2 if isinstance(x, torch.nn.Parameter) else x * 3


def in_a_helper(x: Tensor) -> Tensor:
    return x * 2 if _is_plain(x) else x * 3


def in_a_helper_that_asks_isinstance(x: Tensor) -> Tensor:
    return x * 2 if _is_marked(x) else x * 3


def in_a_comprehension(x: Tensor) -> Tensor:
    return x * sum([2 if isinstance(item, Marked) else 3 for item in (x,)])


def by_a_pattern(x: Tensor) -> Tensor:
    match x:
        case Marked():
            return x * 2
        case _:
            return x * 3


class Layer(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return self.scaled(x)

    def scaled(self, x: Tensor) -> Tensor:
        return x * self.factor(x)

    def factor(self, x: Tensor) -> int:
        return 2 if issubclass(type(x), Marked) else 3


def in_a_closure() -> Callable[[Tensor], Tensor]:
    wanted = Marked
    return lambda x: x * 2 if isinstance(x, wanted) else x * 3


def by_an_attribute_of_the_class(x: Tensor) -> Tensor:
    return x * getattr(type(x), "factor", 3)


def by_a_table(x: Tensor) -> Tensor:
    return x * {Marked: 2}.get(x.__class__, 3)


def by_isinstance_of_a_buffer(x: Tensor) -> Tensor:
    return x * 2 if isinstance(x, nn.Buffer) else x * 3


CODES = [
    by_isinstance_of_a_buffer,
    by_an_attribute_of_the_class,
    by_a_table,
    by_type,
    by_the_class_attribute,
    by_isinstance,
    by_isinstance_of_a_parameter,
    in_a_helper,
    in_a_helper_that_asks_isinstance,
    in_a_comprehension,
    by_a_pattern,
    Layer(),
    in_a_closure(),
]


@pytest.mark.parametrize("now", GIVEN)
@pytest.mark.parametrize("then", GIVEN)
@pytest.mark.parametrize("code", CODES, ids=lambda code: getattr(code, "__name__", "module"))
def test_another_class_is_right_or_told(code: Callable[[Tensor], Tensor], then: str, now: str):
    traced = tracelab.trace(code, GIVEN[then])
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        found = traced(GIVEN[now])
    is_right = torch.equal(*(item.detach().as_subclass(Tensor) for item in (found, code(GIVEN[now]))))
    assert is_right or heard
    assert then != now or not heard


def test_a_parameter_is_one_for_the_traced_code():
    (node,) = tracelab.trace(by_type, GIVEN["Parameter"]).graph.nodes
    assert node.args[1] == 3


def test_a_class_that_the_code_does_not_name_is_no_assumption():
    def code(x: Tensor, options: object = None) -> Tensor:
        return x if isinstance(options, (list, tuple)) else x * 2

    assert len(tracelab.trace(code, GIVEN["Tensor"]).assumptions) == 0


def test_results_have_the_class_of_the_input_so_that_another_one_is_told():
    traced = tracelab.trace(lambda x: x * 2, GIVEN["Marked"])
    assert type(traced(GIVEN["Marked"])) is Marked
    with pytest.warns(tracelab.AssumptionWarning, match=r"type\(x\).__name__ was 'Marked' when .* is 'Tensor' at"):
        traced(GIVEN["Tensor"])


def test_the_name_of_a_class_that_is_shown_is_no_assumption():
    def code(x: Tensor) -> Tensor:
        if x.dim() > 3:
            raise ValueError(f"{type(x).__name__} of {x.dim()}")
        return x * 2

    assert not [item for item in tracelab.trace(code, GIVEN["Tensor"]).assumptions if item.kind == "class"]


def test_the_sentence_names_the_classes():
    traced = tracelab.trace(in_a_helper_that_asks_isinstance, GIVEN["Tensor"])
    with pytest.warns(tracelab.AssumptionWarning, match=r"type\(x\).__name__ was 'Tensor' when .* is 'Marked' at"):
        traced(GIVEN["Marked"])


def test_a_buffer_is_one_for_the_traced_code():
    def code(x: Tensor) -> Tensor:
        return x * 2 if isinstance(x, nn.Buffer) else x * 3

    buffer = nn.Buffer(torch.ones(3))
    assert torch.equal(tracelab.trace(code, buffer)(buffer), code(buffer))


class Tripled(torch.Tensor):
    pass


@functools.singledispatch
def dispatched(x):
    return x + 1


@dispatched.register(Tripled)
def _(x):
    return torch.Tensor(x) * 3


class Dispatcher:
    @functools.singledispatchmethod
    def call(self, x):
        return x + 1

    @call.register
    def _(self, x: nn.Parameter):
        return x * 3


def test_singledispatch_picks_by_class_which_is_told():
    traced = tracelab.trace(lambda x: dispatched(x) * 2, torch.ones(2))
    with pytest.warns(AssumptionWarning, match="was 'Tensor' .* is 'Tripled'"):
        traced(torch.ones(2).as_subclass(Tripled))


def test_so_does_a_method_of_it():
    dispatcher = Dispatcher()
    traced = tracelab.trace(lambda x: dispatcher.call(x) * 2, torch.ones(2))
    with pytest.warns(AssumptionWarning, match=r"isinstance\(x, Parameter\) was False"):
        traced(nn.Parameter(torch.ones(2)))


def test_the_name_of_a_class_among_the_results_is_told():
    traced = tracelab.trace(lambda x: {"of": [type(x).__name__], "y": x + 1}, torch.ones(2), strict=False)
    with pytest.warns(AssumptionWarning, match="was 'Tensor' .* is 'Tripled'"):
        traced(torch.ones(2).as_subclass(Tripled))


def test_the_name_of_a_class_in_an_error_that_is_not_raised_is_no_assumption():
    def checked(x):
        if x.dim() > 9:
            raise TypeError(f"{type(x).__name__} has too many dimensions")
        return x + 1

    traced = tracelab.trace(checked, torch.ones(2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        traced(torch.ones(2).as_subclass(Tripled))


def test_the_type_of_a_device_is_no_class():
    traced = tracelab.trace(lambda x: x * 2 if x.device.type == "cpu" else x, torch.ones(2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        traced(nn.Parameter(torch.ones(2)))
