"""Small programs that torch.export refuses: Python decides by values, keeps state, or leaves torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from support.examples.models import Case


class Of(nn.Module):
    """A module of one function, with a layer."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 4)
        self.register_buffer("seen", torch.zeros(()))
        self.function = function

    def forward(self, x: Tensor) -> Any:
        return self.function(self, x)


def on_sum(self: Any, x: Tensor) -> Tensor:
    y = self.fc(x)
    return y * 0 if y.sum() > 1e9 else y + 1


def on_nan(self: Any, x: Tensor) -> Tensor:
    if torch.isnan(x).any():
        raise ValueError("NaN")
    return self.fc(x).relu()


def on_mean_twice(self: Any, x: Tensor) -> Tensor:
    y = self.fc(x)
    if y.mean().item() < 1e6:
        y = y.tanh()
    while y.abs().max() > 1e6:
        y = y / 2
    return y


def item_as_factor(self: Any, x: Tensor) -> Tensor:
    scale = float(self.fc.weight.abs().max() > 0)
    return self.fc(x) * scale


def loop_by_item(self: Any, x: Tensor) -> Tensor:
    for _ in range(int(self.seen.item()) + 2):
        x = self.fc(x)
    return x


def by_numpy(self: Any, x: Tensor) -> Tensor:
    steps = self.seen.detach().numpy()
    return self.fc(x) + float(steps)


def by_list(self: Any, x: Tensor) -> Tensor:
    order = torch.tensor([2, 0, 1, 3]).tolist()
    return torch.stack([self.fc(x)[:, i] for i in order], dim=1)


def all_close(self: Any, x: Tensor) -> Tensor:
    y = self.fc(x)
    return y if torch.allclose(y, y) else -y


def assert_on_value(self: Any, x: Tensor) -> Tensor:
    assert x.abs().max() < 1e9, "too large"
    return self.fc(x)


def state_in_python(self: Any, x: Tensor) -> Tensor:
    self.__dict__.setdefault("history", []).append(x.shape[0])
    return self.fc(x) + (x.sum() < 1e9)


def bool_of_equal(self: Any, x: Tensor) -> Tensor:
    return self.fc(x) if torch.equal(self.fc.bias, self.fc.bias) else x


def max_as_int(self: Any, x: Tensor) -> Tensor:
    width = int(torch.tensor([1, 3]).max())
    return self.fc(x)[:, :width]


def on_dict_key(self: Any, x: Tensor) -> dict[str, Tensor]:
    y = self.fc(x)
    return {"big" if y.norm() > 1e9 else "small": y}


def on_size_and_value(self: Any, x: Tensor) -> Tensor:
    y = self.fc(x)
    if x.shape[0] > 1 and y.max() < 1e9:
        y = y - y.mean(0)
    return y


def try_value(self: Any, x: Tensor) -> Tensor:
    try:
        if not x.isfinite().all():
            raise FloatingPointError
    except FloatingPointError:
        return x
    return self.fc(x).softmax(-1)


def on_argmax(self: Any, x: Tensor) -> Tensor:
    expert = int(self.fc.bias.argmax() * 0)
    return self.fc(x) if expert == 0 else x


def writes_buffer(self: Any, x: Tensor) -> Tensor:
    self.seen += 1
    if self.seen > 1e6:
        self.seen.zero_()
    return self.fc(x) + self.seen


def format_value(self: Any, x: Tensor) -> Tensor:
    text = f"{x.abs().max().item() < 1e9}"
    return self.fc(x) if text == "True" else x


def no_grad_branch(self: Any, x: Tensor) -> Tensor:
    with torch.no_grad():
        scale = self.fc.weight.norm()
        if scale == 0:
            scale = scale + 1
    return self.fc(x) / scale


def sorted_values(self: Any, x: Tensor) -> Tensor:
    keys = sorted(range(4), key=lambda i: float(torch.arange(4)[i]))
    return self.fc(x)[:, keys]


REFUSED: dict[str, Callable[[], Case]] = {
    function.__name__: (lambda function=function: Case(Of(function).eval(), (torch.randn(5, 4),)))
    for function in (
        on_sum, on_nan, on_mean_twice, item_as_factor, loop_by_item, by_numpy, by_list, all_close, assert_on_value,
        state_in_python, bool_of_equal, max_as_int, on_dict_key, on_size_and_value, try_value, on_argmax,
        writes_buffer, format_value, no_grad_branch, sorted_values,
    )
}  # fmt: skip
"""Programs by name."""
