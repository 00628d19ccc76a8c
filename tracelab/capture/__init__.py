"""One recording of one call, as a `Graph`."""

from tracelab.capture.failures import TraceError, last_failure
from tracelab.capture.record import Recording, is_tracing, record

__all__ = ["Recording", "TraceError", "is_tracing", "last_failure", "record"]
