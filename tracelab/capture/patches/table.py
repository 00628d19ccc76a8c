"""All that is replaced while recordings run, in the order in which it is replaced."""

from __future__ import annotations

from tracelab.capture.layers.dispatch import HANDLERS
from tracelab.capture.patches.calls.autograd_function import AUTOGRAD_FUNCTION
from tracelab.capture.patches.calls.higher_order import HIGHER_ORDER
from tracelab.capture.patches.calls.hooks import HOOKS
from tracelab.capture.patches.calls.kernels import KERNELS
from tracelab.capture.patches.calls.loaders import LOADERS
from tracelab.capture.patches.calls.modules import MODULES
from tracelab.capture.patches.calls.optimizers import OPTIMIZERS
from tracelab.capture.patches.calls.script import SCRIPT
from tracelab.capture.patches.imports import IMPORTS
from tracelab.capture.patches.overrides import OVERRIDES
from tracelab.capture.patches.registry import patched as patched
from tracelab.capture.patches.unseen import COLLECTIVES, COMPILATION
from tracelab.capture.patches.values.attributes import ATTRIBUTES
from tracelab.capture.patches.values.classes import CLASSES
from tracelab.capture.patches.values.contexts import CONTEXTS
from tracelab.capture.patches.values.dlpack import DLPACK
from tracelab.capture.patches.values.environment import ENVIRONMENT
from tracelab.capture.patches.values.generators import GENERATORS
from tracelab.capture.patches.values.machine import MACHINE
from tracelab.capture.patches.values.missed_attributes import MISSED_ATTRIBUTES
from tracelab.capture.patches.values.modes import MODES
from tracelab.capture.patches.values.nested import NESTED
from tracelab.capture.patches.values.number_classes import NUMBER_CLASSES
from tracelab.capture.patches.values.numbers import NUMBERS
from tracelab.capture.patches.values.plain_numbers import PLAIN_NUMBERS
from tracelab.capture.patches.values.settings import SETTINGS
from tracelab.capture.patches.values.sizes import SIZES
from tracelab.capture.patches.values.statistics import STATISTICS
from tracelab.capture.patches.values.tensors import TENSORS

patched.replacements = (
    *MODULES,
    *AUTOGRAD_FUNCTION,
    *HOOKS,
    *SCRIPT,
    *CONTEXTS,
    *MODES,
    *ENVIRONMENT,
    *MACHINE,
    *CLASSES,
    *ATTRIBUTES,
    *MISSED_ATTRIBUTES,
    *TENSORS,
    *DLPACK,
    *SETTINGS,
    *COLLECTIVES,
    *COMPILATION,
    *IMPORTS,
    *OPTIMIZERS,
    *HIGHER_ORDER,
    *KERNELS,
    *GENERATORS,
    *LOADERS,
    *NESTED,
    *NUMBERS,
    *NUMBER_CLASSES,
    *PLAIN_NUMBERS,
    *STATISTICS,
    *SIZES,
    *OVERRIDES,
    *HANDLERS,
)
