"""All that is replaced while recordings run, in the order in which it is replaced."""

from __future__ import annotations

from tracelab.capture.patches.calls.autograd_function import patch_autograd_function
from tracelab.capture.patches.calls.higher_order import patch_higher_order
from tracelab.capture.patches.calls.modules import patch_modules
from tracelab.capture.patches.calls.optimizers import patch_optimizers
from tracelab.capture.patches.calls.script import patch_script
from tracelab.capture.patches.imports import patch_imports
from tracelab.capture.patches.overrides import patch_overrides
from tracelab.capture.patches.registry import Registry
from tracelab.capture.patches.unseen import patch_collectives, patch_compilation
from tracelab.capture.patches.values.contexts import patch_contexts
from tracelab.capture.patches.values.generators import patch_generators
from tracelab.capture.patches.values.numbers import patch_numbers
from tracelab.capture.patches.values.plain_numbers import patch_plain_numbers
from tracelab.capture.patches.values.settings import patch_backward, patch_settings
from tracelab.capture.patches.values.tensors import patch_tensors

patched = Registry(
    (
        patch_modules,
        patch_autograd_function,
        patch_script,
        patch_contexts,
        patch_tensors,
        patch_settings,
        patch_collectives,
        patch_compilation,
        patch_imports,
        patch_optimizers,
        patch_higher_order,
        patch_generators,
        patch_backward,
        patch_numbers,
        patch_plain_numbers,
        patch_overrides,
    )
)
"""Context manager: torch as it is while recording."""
