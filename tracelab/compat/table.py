"""The private names of torch that tracelab stands on, with the versions that have them.

Importing this imports no torch.
"""

from __future__ import annotations

from dataclasses import dataclass

FIRST, LAST, TOO_NEW = "2.11", "2.14", "2.15"
"""The oldest and the newest torch that the tests ran on, and the one after it."""

TESTED = f"{FIRST} to {LAST}"


@dataclass(frozen=True, slots=True)
class PrivateName:
    """One private name of torch.

    Attributes:
        path: Where it stands. `torch.nn.Module()._buffers` is an attribute of a fresh instance.
        file: The file of `compat` that looks it up.
        feature: What needs it, as the subject of a sentence.
        at_import: Whether its file looks it up at import, rather than when the feature is used.
        versions: The versions of torch that have it.
    """

    path: str
    file: str
    feature: str
    at_import: bool
    versions: str = TESTED


_AT_IMPORT, _AT_USE = True, False

_GROUPS = (
    (
        "leaving",
        "Exporting a trace",
        _AT_USE,
        """
        torch._check
        torch._inductor.aoti_compile_and_package
        torch._inductor.aoti_load_package
        torch._inductor.cpp_builder.get_cpp_compiler
        torch._subclasses.fake_tensor.FakeTensorMode
        torch.amp.autocast_mode._enter_autocast
        torch.amp.autocast_mode._exit_autocast
        torch.fx.graph._PyTreeCodeGen
        torch.fx.graph._PyTreeInfo
        torch.ops.aten._assert_scalar.default
        """,
    ),
    (
        "recurrent",
        "Exporting a trace with an LSTM, a GRU or an RNN",
        _AT_USE,
        """
        torch._C.DispatchKey.Autograd
        torch._C.DispatchKey.CompositeImplicitAutograd
        torch._decomp.decomposition_table
        torch.ops.aten.gru.input
        torch.ops.aten.lstm.input
        torch.ops.aten.rnn_relu.input
        torch.ops.aten.rnn_tanh.input
        """,
    ),
    (
        "dispatch",
        "Tracing",
        _AT_IMPORT,
        """
        torch._C.DispatchKey.PreDispatch
        torch._C.DispatchKey.Python
        torch._C.DispatchKey.PythonDispatcher
        torch._C._dispatch_tls_is_dispatch_key_excluded
        torch._C._dispatch_tls_is_dispatch_key_included
        torch._C._dispatch_tls_set_dispatch_key_included
        torch._dispatch.python.enable_python_dispatcher
        torch._ops.OpOverload._get_dispatch
        torch.ops.aten.add.Tensor._dispatch_cache
        """,
    ),
    (
        "operators",
        "A graph of operators",
        _AT_IMPORT,
        """
        torch._ops.OpOverload
        torch._assert
        torch._ops.OpOverloadPacket
        torch._ops.HigherOrderOperator
        torch._C._dispatch_has_kernel_for_dispatch_key
        torch.ops.aten.add.Tensor._schema
        torch.ops.aten.add.Tensor._overloadname
        torch.ops.aten.add.Tensor._op
        torch.ops.aten.add._qualified_op_name
        """,
    ),
    (
        "operators",
        "A call of a higher-order operator that takes a graph",
        _AT_USE,
        """
        torch._higher_order_ops.base_hop.BaseHOP
        torch._higher_order_ops.base_hop.FunctionWithNoFreeVars
        """,
    ),
    (
        "operators",
        "Tracing a function that is given a traced size where its binding takes plain integers",
        _AT_USE,
        "torch._C._jit_resolve_packet",
    ),
    (
        "bindings",
        "Code that is generated from a graph",
        _AT_IMPORT,
        """
        torch._C._nn
        torch._VF.split
        """,
    ),
    (
        "modes",
        "Running a graph",
        _AT_IMPORT,
        """
        torch._C._set_grad_enabled
        torch._C._len_torch_function_stack
        torch._C._push_on_torch_function_stack
        torch._C._pop_torch_function_stack
        torch.utils._device.DeviceContext
        torch._C._get_function_stack_at
        torch._C._get_dispatch_stack_at
        torch._C._len_torch_dispatch_stack
        torch._C._is_any_autocast_enabled
        torch._C._autograd._top_saved_tensors_default_hooks
        torch._C._functorch.peek_interpreter_stack
        """,
    ),
    (
        "modes",
        "Tracing an autocast region",
        _AT_USE,
        """
        torch.amp.autocast_mode.autocast._enabled
        torch.amp.autocast_mode.autocast._cache_enabled
        """,
    ),
    (
        "functorch",
        "Tracing",
        _AT_IMPORT,
        """
        torch._functorch.apis.vmap_impl
        torch._functorch.eager_transforms.grad_impl
        torch._functorch.eager_transforms.grad_and_value_impl
        torch._functorch.eager_transforms._jvp_with_argnums
        torch._functorch.eager_transforms._vjp_with_argnums
        torch._functorch.eager_transforms.linearize
        torch._functorch.eager_transforms.jacrev
        torch._functorch.eager_transforms.jacfwd
        torch._functorch.eager_transforms.hessian
        torch._functorch.eager_transforms.functionalize
        torch._functorch.pyfunctorch.temporarily_clear_interpreter_stack
        torch._C._functorch.is_functorch_wrapped_tensor
        torch._C._functorch.is_batchedtensor
        torch._C._functorch.is_functionaltensor
        torch._C._functorch.maybe_get_bdim
        torch._C._functorch.get_unwrapped
        torch._from_functional_tensor
        torch._sync
        """,
    ),
    (
        "pytrees",
        "Tracing a function that is given to a transform",
        _AT_IMPORT,
        """
        torch.utils._pytree.tree_map
        torch.utils._pytree.tree_leaves
        """,
    ),
    (
        "loaders",
        "Tracing code that uses a data loader",
        _AT_IMPORT,
        "torch.utils.data.dataloader._BaseDataLoaderIter",
    ),
    (
        "modules",
        "A traced module",
        _AT_IMPORT,
        """
        torch.nn.Module._apply
        torch.nn.Module._get_name
        torch.nn.Module()._parameters
        torch.nn.Module()._buffers
        torch.nn.Module()._modules
        torch.nn.Module()._non_persistent_buffers_set
        torch.nn.Module()._forward_pre_hooks
        """,
    ),
    (
        "modules",
        "Tracing a lazy module before its first call",
        _AT_USE,
        "torch.nn.modules.lazy.LazyModuleMixin._infer_parameters",
    ),
    (
        "tensors",
        "Telling one tensor's memory from another's",
        _AT_IMPORT,
        """
        torch.Tensor._version
        torch.Tensor._is_view
        torch.Tensor._base
        torch.Tensor._backward_hooks
        torch.Tensor._post_accumulate_grad_hooks
        torch.Generator._cdata
        torch.UntypedStorage._cdata
        torch._C.DisableTorchFunction
        torch._C._is_torch_function_enabled
        torch._C._disabled_torch_function_impl
        torch.Tensor._make_wrapper_subclass
        """,
    ),
    (
        "tensors",
        "A file of sparse and quantized tensors",
        _AT_IMPORT,
        """
        torch.Tensor._indices
        torch.Tensor._values
        torch._make_per_tensor_quantized_tensor
        torch._make_per_channel_quantized_tensor
        """,
    ),
    (
        "symbolic",
        "Naming the sizes of a trace",
        _AT_USE,
        """
        torch._dynamo.source.ConstantSource
        torch._subclasses.fake_tensor.FakeTensorMode
        torch.fx.experimental.symbolic_shapes.DimDynamic
        torch.fx.experimental.symbolic_shapes.ShapeEnv
        torch.fx.experimental.symbolic_shapes.StatelessSymbolicContext
        """,
    ),
    (
        "allocations",
        "Predicting the memory of a run",
        _AT_IMPORT,
        """
        torch.utils._python_dispatch.TorchDispatchMode
        torch.autograd._get_sequence_nr
        torch._C._current_autograd_node
        torch._C._storage_Use_Count
        torch._C._select_conv_backend
        torch.Tensor._use_count
        """,
    ),
    (
        "tensors",
        "Telling a fake tensor from one of another subclass",
        _AT_USE,
        """
        torch._subclasses.fake_tensor.FakeTensor
        torch._subclasses.fake_tensor.FakeTensorMode
        """,
    ),
    (
        "dynamo",
        "Tracing in a process that has loaded torch's compiler",
        _AT_USE,
        "torch._dynamo.convert_frame.CatchErrorsWrapper",
    ),
    (
        "dynamo",
        "The backend `inductor`",
        _AT_USE,
        "torch._dynamo.exc.TorchDynamoException",
    ),
    (
        "script",
        "TorchScript",
        _AT_USE,
        """
        torch.jit.save
        torch.jit.load
        torch.jit._recursive.wrap_cpp_module
        torch.jit._state._python_cu
        torch._C.CompilationUnit
        torch._C.import_ir_module
        torch._C.import_ir_module_from_buffer
        torch._C.ScriptModule._has_method
        torch._C.ScriptModule._get_method
        torch._C.ScriptModule._method_names
        torch._C.ScriptModule._type
        """,
    ),
)

NAMES = {
    path: PrivateName(path, file, feature, at_import)
    for file, feature, at_import, paths in _GROUPS
    for path in paths.split()
}
"""By path. `names.needed` refuses a path that does not stand here."""

OPTIONAL = frozenset(
    """
    torch._C.Graph
    torch._C.ScriptFunction
    torch._C.ScriptModule
    torch._C.ScriptObject
    torch._C._is_tracing
    torch._jit_internal.FunctionModifiers.EXPORT
    torch.jit._script.ScriptModule
    torch.jit._trace.is_tracing
    torch.jit.is_tracing
    torch.jit.script
    torch.nn.functional._infer_size
    torch.utils.checkpoint._NoopSaveInputs
    torch.utils._pytree.SUPPORTED_NODES
    torch.utils._pytree.register_pytree_node
    """.split()
)
"""Looked up by `modes`, `script`, `sizes` and `pytrees`.

A torch without one has no such thing to look out for, and nothing is missed.
"""

OLDER = frozenset({"torch.nn.functional._infer_size", "torch.utils.checkpoint._NoopSaveInputs"})
"""Those of `OPTIONAL` that the newest torch has no more."""

OF_INSTANCES = frozenset(
    """
    _buffers _forward_pre_hooks _modules _non_persistent_buffers_set _overloadname _parameters _schema _wrapped_number
    """.split()
)
"""Private attributes that other rooms read of an operator, a module or a tensor that they hold.

They stand in `NAMES` too, and are looked up at import. `_wrapped_number` does not: torch gives it only to a tensor that
it makes of a traced number.
"""

CONVERSION_FRAMES = ("torch", "torch._tensor", "torch._tensor_str", "torch.overrides", "torch.fx.experimental.sym_node")
"""Modules where torch turns tensors and numbers into values of Python's."""
