"""The examples in docstrings run, and public names say what they take and give."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
import typing
import warnings

import pytest
import torch

import tracelab

MODULES = [module.name for module in pkgutil.walk_packages(tracelab.__path__, "tracelab.")]
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def examples():
    finder = doctest.DocTestFinder(exclude_empty=True)
    for name in MODULES:
        module = importlib.import_module(name)
        yield from finder.find(module, name, extraglobs={"torch": torch, "tracelab": tracelab})


@pytest.mark.parametrize("example", [pytest.param(test, id=test.name) for test in examples() if test.examples])
def test_the_examples_of_a_docstring_give_what_they_say(example, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    failures: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", tracelab.TracerWarning)
        doctest.DocTestRunner(optionflags=FLAGS).run(example, out=failures.append)
    assert not failures, "".join(failures)


PUBLIC = [name for name in tracelab.__all__ if name[0] != "_" and inspect.isfunction(getattr(tracelab, name))]


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_function_documents_its_arguments_and_its_result(name):
    function = getattr(tracelab, name)
    text = inspect.getdoc(function) or ""
    arguments = [p for p in inspect.signature(function).parameters if p != "kwargs"]
    missing = [argument for argument in arguments if f"    {argument}: " not in text.replace("*", "")]
    assert not missing
    returned = typing.get_type_hints(function)["return"]
    assert returned is type(None) or "Returns:" in text or not arguments


METHODS = [
    (owner, name)
    for owner in (tracelab.TracedFunction, tracelab.TracedModule)
    for name in ("run", "profile", "check", "bind", "with_backend", "summary", "to_html", "to_svg", "to_json", "save")
]


@pytest.mark.parametrize(("owner", "name"), METHODS, ids=lambda item: getattr(item, "__name__", item))
def test_a_method_of_what_was_traced_has_a_docstring(owner, name):
    assert inspect.getdoc(getattr(owner, name))


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_function_does_not_return_any(name):
    assert typing.get_type_hints(getattr(tracelab, name))["return"] is not typing.Any
