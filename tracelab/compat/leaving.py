"""What graph modules, exported programs and compiled packages are made of."""

from __future__ import annotations

from typing import Any

from tracelab.compat.names import needed


def fake_mode() -> Any:
    """A mode for tensors without data, which takes others as well."""
    return needed("torch._subclasses.fake_tensor.FakeTensorMode")(allow_non_fake_inputs=True)


def structure_code(names: list[str], inputs: Any, outputs: Any) -> Any:
    """What writes the code of a graph module that takes and gives structures."""
    info = needed("torch.fx.graph._PyTreeInfo")(names, inputs, outputs)
    return needed("torch.fx.graph._PyTreeCodeGen")(info)


def structures_of(graph: Any) -> Any:
    """The arguments' names and structures, and those of the result, of a graph of torch.fx; None for a flat one."""
    return getattr(getattr(graph, "_codegen", None), "pytree_info", None)


def autocast_calls() -> tuple[Any, Any]:
    """The functions by which a graph module enters and leaves an autocast region."""
    return (
        needed("torch.amp.autocast_mode._enter_autocast"),
        needed("torch.amp.autocast_mode._exit_autocast"),
    )


def check_condition(condition: Any, sentence: str) -> None:
    """Let an exported program take only sizes for which a condition holds."""
    needed("torch._check")(condition, lambda: sentence)


def assert_scalar(condition: Any, sentence: str) -> None:
    """Let an exported program look at each call whether a condition on sizes holds."""
    needed("torch.ops.aten._assert_scalar.default")(condition, sentence)


def has_compiler() -> bool:
    """Whether Inductor finds a C++ compiler."""
    try:
        needed("torch._inductor.cpp_builder.get_cpp_compiler")()
    except RuntimeError:
        return False
    return True


def compile_package(program: Any, path: str) -> None:
    """Compile an exported program into a package."""
    needed("torch._inductor.aoti_compile_and_package")(program, package_path=path)


def load_package(path: str) -> Any:
    """What a package holds, to be called."""
    return needed("torch._inductor.aoti_load_package")(path)
