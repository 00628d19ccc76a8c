"""A thing of torch or Python that is another while recordings run."""

from __future__ import annotations


class Replacement:
    """One thing that is replaced; both steps may be repeated."""

    label = ""
    """How it is listed."""
    lent = False
    """Whether it is a name that others can fetch, so that code that keeps what it fetches must see the original."""

    def install(self) -> None:
        """Replace it."""
        raise NotImplementedError

    def remove(self) -> None:
        """Put it back."""
        raise NotImplementedError

    def is_in(self) -> bool:
        """Whether it is replaced now."""
        raise NotImplementedError
