"""The caches of language models, which transformers can let torch's pytrees take apart."""

from __future__ import annotations

import contextlib
import importlib
from typing import Any

from torch.utils import _pytree as pytree

_LIBRARY = "transformers."
WITHOUT = "call the model with use_cache=False, and trace again"
"""What a caller of such a model can do where the cache cannot leave."""


def is_cache(item: Any) -> bool:
    """Whether it is a cache of transformers."""
    cls = type(item)
    return cls.__module__.startswith(_LIBRARY) and cls.__name__.endswith("Cache")


def registered(item: Any) -> bool:
    """Let torch's pytrees know the cache's class, as transformers does for its own exports; false where it cannot."""
    with contextlib.suppress(ImportError, AttributeError, ValueError):
        importlib.import_module(f"{_LIBRARY}integrations.executorch").register_dynamic_cache_export_support()
    return type(item) in pytree.SUPPORTED_NODES
