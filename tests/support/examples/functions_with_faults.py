"""Functions with faults that a check must find; reports name their lines, so that new ones go to the end."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

import torch
from torch import nn


def branch(x):
    if x.sum() > 0:
        return x * 2
    return -x


def halved(x):
    n = int(x.shape[0] / 2)
    return x[:n] * 2


def rows(x):
    total = x.sum() * 0
    for row in x:
        total = total + row.sum()
    return total


def scaled(x):
    return x * float(x.max())


def listed(x):
    weights = torch.tensor(x.tolist())
    return x + weights


class Cached(nn.Module):
    """Computes its table once, from the first input that it sees."""

    def __init__(self):
        super().__init__()
        self.cache = {}

    def forward(self, x):
        if "table" not in self.cache:
            self.cache["table"] = x.mean(0)
        return x - self.cache["table"]


def one_or_two(x):
    return (x, x * 2) if x.shape[0] > 2 else x


def written(x):
    x.add_(1)
    return x * 2


def picky(x):
    if x.shape[0] == 3:
        raise ValueError("three rows are too many")
    return x * 2


def never_negative(x):
    if x.abs().sum() >= 0:
        return x + 1
    return x


def dies_once(x):
    """In a worker process, the input of thirteens ends it, once."""
    flag = Path(os.environ["TRACELAB_TEST_FLAG"])
    if float(x.detach()[0]) == 13 and multiprocessing.parent_process() is not None and not flag.exists():
        flag.touch()
        os._exit(1)
    with flag.with_suffix(".log").open("a") as log:
        log.write(f"{int(x[0])}\n")
    return x * 2


def embedded(ids, table):
    return torch.nn.functional.embedding(ids, table)


def two_places(x):
    y = x * int(x.shape[0])
    if x.mean() > 0:
        y = y + 1
    return y
