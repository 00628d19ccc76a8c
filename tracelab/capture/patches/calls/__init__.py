"""Calls that become nodes and scopes: modules, autograd functions, script functions, regions."""
