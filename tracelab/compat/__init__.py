"""Every private name of torch that tracelab stands on."""
