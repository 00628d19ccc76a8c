"""Functions of C that take plain numbers are replaced while a number is met, and put back."""

from __future__ import annotations

import subprocess
import sys
import time

import pandas
import torch

import tracelab
from tracelab.capture.patches.registry import patched


def test_modules_that_are_imported_between_two_recordings_leave_nothing_replaced():
    code = (
        "import pandas, sys, types, torch, tracelab\n"
        "from tracelab.capture.patches.registry import patched\n"
        "before = pandas._libs.lib.maybe_convert_objects\n"
        "for number in range(3):\n"
        "    tracelab.trace(lambda x: x * x.shape[0], torch.ones(2))\n"
        "    sys.modules[f'made_{number}'] = types.ModuleType(f'made_{number}')\n"
        "assert patched.verify() == []\n"
        "assert pandas._libs.lib.maybe_convert_objects is before\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_they_are_replaced_once_a_number_is_met():
    seen = []

    def function(x):
        seen.append(patched.verify())
        size = x.shape[0]
        seen.append(patched.verify())
        return x * size

    tracelab.trace(function, torch.ones(2), check_trace=False)
    wanted = {"time.sleep", "pandas._libs.lib.maybe_convert_objects"}
    assert not wanted & set(seen[0])
    assert wanted <= set(seen[1])
    assert patched.verify() == []
    assert (type(time.sleep).__name__, pandas.DataFrame([{"a": 1}]).a.dtype) == ("builtin_function_or_method", "int64")
