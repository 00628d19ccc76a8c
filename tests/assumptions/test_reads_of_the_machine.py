"""Files, arguments of the program, and numbers of the system that the code reads are told where they are others."""

from __future__ import annotations

import builtins
import io
import json
import os
import pathlib
import pickle
import random
import secrets
import sys
import uuid
import warnings

import numpy as np
import pytest
import torch

import tracelab
from tracelab import AssumptionWarning

X = torch.ones(2)


def told(traced, x=X):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        traced(x)
    return [str(item.message) for item in found if item.category is AssumptionWarning]


def traced_of(function):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return tracelab.trace(function, X, check_trace=False)


def by_open(path):
    return lambda x: x * float(open(path).read())


def by_pathlib(path):
    return lambda x: x * float(pathlib.Path(path).read_text())


def by_json(path):
    def read(x):
        with io.open(path) as file:  # noqa: UP020
            return x * json.load(file)

    return read


def by_numpy(path):
    return lambda x: x * float(np.loadtxt(path))


@pytest.mark.parametrize("make", [by_open, by_pathlib, by_json, by_numpy])
def test_a_file_is_told_where_it_holds_something_else(make, tmp_path):
    path = tmp_path / "scale.txt"
    path.write_text("2")
    traced = traced_of(make(str(path)))
    assert not told(traced)
    path.write_text("3")
    assert "scale.txt" in told(traced)[0]
    path.unlink()
    assert "gone" in told(traced)[0]


def test_a_file_that_is_written_again_with_the_same_in_it_is_not_told(tmp_path):
    path = tmp_path / "scale.txt"
    path.write_text("2")
    traced = traced_of(by_open(str(path)))
    os.utime(path, (1, 1))
    assert not told(traced)
    path.write_text("3")
    assert told(traced)
    path.write_text("2")
    assert not told(traced)


def test_a_file_that_the_code_writes_is_not_told(tmp_path):
    path = tmp_path / "log.txt"

    def log(x):
        with open(path, "a") as file:
            file.write("called")
        return x * 2

    assert not told(traced_of(log))


def test_whether_a_file_is_there_is_told(tmp_path):
    path = tmp_path / "flag"
    traced = traced_of(lambda x: x * 2 if os.path.exists(path) else x)
    assert not told(traced)
    path.touch()
    assert "os.path.exists" in told(traced)[0]


def test_what_torch_loads_is_told(tmp_path):
    path = tmp_path / "weights.pt"
    torch.save(torch.ones(2), path)
    traced = traced_of(lambda x: x * torch.load(path))
    torch.save(torch.zeros(2), path)
    assert "weights.pt" in told(traced)[0]


def test_the_arguments_of_the_program_are_told(monkeypatch):
    traced = traced_of(lambda x: x * len(sys.argv))
    assert not told(traced)
    monkeypatch.setattr(sys, "argv", ["other", "a", "b"])
    assert "sys.argv" in told(traced)[0]


OF_THE_SYSTEM = random.SystemRandom()
DRAWS = {
    "uuid": lambda x: x * (uuid.uuid4().int % 1000),
    "urandom": lambda x: x * os.urandom(1)[0],
    "secrets": lambda x: x * secrets.randbelow(1000),
    "SystemRandom": lambda x: x * OF_THE_SYSTEM.random(),
    "a fresh generator of NumPy": lambda x: x * np.random.default_rng().random(),
    "a fresh generator of Python": lambda x: x * random.Random().random(),
    "torch.seed": lambda x: x * (torch.seed() % 1000),
}


@pytest.mark.parametrize("function", DRAWS.values(), ids=DRAWS)
def test_numbers_of_the_system_are_told_at_each_call(function):
    assert "draws others" in told(traced_of(function))[0]


def test_a_generator_with_a_seed_is_not_told():
    assert not told(traced_of(lambda x: x * random.Random(3).random() + np.random.default_rng(3).random()))


def test_a_replay_seeds_anew_where_the_code_does():
    def shuffled(x):
        torch.seed()
        return x[torch.randperm(x.shape[0])]

    traced = traced_of(shuffled)
    x = torch.arange(100)
    assert not told(traced, x)
    torch.manual_seed(0)
    first = traced(x)
    torch.manual_seed(0)
    assert not torch.equal(traced(x), first)


def test_the_seed_that_was_set_is_told_where_it_is_another():
    torch.manual_seed(5)
    traced = traced_of(lambda x: x * torch.initial_seed())
    assert not told(traced)
    torch.manual_seed(6)
    assert "torch.initial_seed() was 5" in told(traced)[0]


def test_the_seed_that_the_code_sets_is_not_told():
    def seeded(x):
        torch.manual_seed(5)
        return x * torch.initial_seed()

    traced = traced_of(seeded)
    torch.manual_seed(6)
    assert not told(traced)


def test_open_is_one_function_while_code_is_traced():
    seen = []

    def look(x):
        seen.append((builtins.open is io.open, pickle.loads(pickle.dumps(open)) is open))
        return x * 2

    before = open
    traced_of(look)
    assert seen == [(True, True)]
    assert open is before
    assert open is io.open
