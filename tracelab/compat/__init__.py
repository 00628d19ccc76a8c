"""Every private name of torch that tracelab stands on; no other room names one.

`table` lists them with the versions that have them, `names` looks them up. Each of the other files holds one part of
torch. What the whole package stands on is looked up as its file is imported; what only one feature needs is looked up
when that feature is used. A torch that lacks a name gives one `TorchVersionError`.
"""
