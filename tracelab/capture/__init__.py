"""One recording of one call, as a `Graph`."""

from tracelab.capture.record import Recording, TraceError, is_tracing, record

__all__ = ["Recording", "TraceError", "is_tracing", "record"]
