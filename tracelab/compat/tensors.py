"""What two Python objects of one generator, or of one storage, share; and how often a tensor was written to."""

from __future__ import annotations

import torch

from tracelab.compat.names import needed

needed("torch.Tensor._version")
needed("torch.Generator._cdata")
needed("torch.UntypedStorage._cdata")


def generator_address(generator: torch.Generator) -> int:
    """The address of what the object stands for; each call of torch may see another object of the same one."""
    address: int = generator._cdata  # type: ignore[attr-defined]
    return address


def storage_address(storage: torch.UntypedStorage) -> int:
    """The same, of a storage."""
    address: int = storage._cdata
    return address


def version_of(tensor: torch.Tensor) -> int:
    """How often a tensor has been written to."""
    return tensor._version
