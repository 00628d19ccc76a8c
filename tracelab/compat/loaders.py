"""The iterators behind `torch.utils.data.DataLoader`."""

from __future__ import annotations

from typing import Any

from tracelab.compat.names import needed

iterator_class: Any = needed("torch.utils.data.dataloader._BaseDataLoaderIter")

SEED = "_base_seed"
"""Where an iterator keeps the number that its workers' seeds are made from."""
