"""Which operators a graph from a file may run: pure functions of tensors and numbers, and writes into tensors.

The rule is a closed one: what no line here allows is refused, with the reason that the message gives. An operator of
the user's own, or of a package, is code that somebody else named; it runs after the user's word (`allow`).
"""

from __future__ import annotations

import re
from typing import Any

_NAMED = frozenset(
    """
    prim::abs prim::grad prim::requires_grad prim::is_cuda prim::is_cpu prim::is_meta prim::is_quantized prim::is_nested
    prim::is_sparse prim::is_sparse_csr prim::is_mkldnn prim::is_mps prim::is_xpu prim::is_xla prim::is_mtia
    prim::is_ipu prim::is_vulkan prim::is_maia prim::layout prim::dtype prim::device prim::data prim::itemsize
    prim::nbytes prim::name prim::index prim::type prim::max prim::min prim::NumToTensor
    prim::unchecked_unwrap_optional prim::unchecked_cast prim::TupleIndex prim::StringIndex prim::RaiseException
    inductor_prims::fma rngprims::philox_rand
    torch_nn::_linear_cross_entropy_batch_chunked torch_nn::_linear_cross_entropy_batch_chunked_no_reduction
    torchvision::nms torchvision::roi_align torchvision::roi_pool torchvision::ps_roi_align torchvision::ps_roi_pool
    torchvision::deform_conv2d torchvision::_roi_align_backward torchvision::_roi_pool_backward
    torchvision::_ps_roi_align_backward torchvision::_ps_roi_pool_backward torchvision::_deform_conv2d_backward
    """.split()
)
_NAMESPACES = frozenset({"aten", "prims", "quantized"})

_FILES = frozenset({"from_file", "save"})
_PROCESS = frozenset(
    """
    manual_seed
    wait local_value owner owner_name is_owner to_here confirmed_by_owner set_source_grad backward retain_grad
    record_stream initial_seed seed set_grad_enabled
    """.split()
)
_MEMORY = frozenset(
    """
    fbgemm_linear_fp16_weight fbgemm_linear_fp16_weight_fp32_activation fbgemm_pack_gemm_matrix_fp16
    fbgemm_linear_int8_weight fbgemm_linear_int8_weight_fp32_activation fbgemm_pack_quantized_matrix
    data_ptr
    """.split()
)
"""They take an address out of a tensor's bytes, or tell one."""
_TOKENS = frozenset(
    "_make_token _sink_tokens resize inductor_reserve_rng_state as_strided copy_to copy_strided load_tensor".split()
)

_PRIVATE = re.compile(
    r"__\w+__|__derive_index|__range_length|__round_to_zero_floordiv|__interpolate|__upsample\w*"
    r"|_foreach_\w+|_fft_\w+|_fused_\w+|_cast_[A-Z]\w+|_linalg_\w+|_weight_norm\w*|_native_batch_norm_legit\w*"
    r"|_batch_norm_(with_update|no_update|with_update_functional|impl_index)"
    r"|_scaled_dot_product_\w*attention\w*|_scaled_(grouped_)?mm(_v2)?|_grouped_mm|_int_mm"
    r"|_adaptive_avg_pool[23]d|_(safe_|log_|masked_)?softmax|_(log_)?softmax_backward_data|_cdist_forward|_pdist_forward|_upsample_\w+"
    r"|_to_(copy|cpu|dense|sparse\w*)|_local_scalar_dense|_unsafe_(view|index|index_put|masked_index)"
    r"|_unsafe_masked_index_put_accumulate|_conj(_copy|_physical)?|_neg_view(_copy)?|_conv_depthwise2d"
    r"|_convolution(_mode)?|_embedding_bag(_forward_only)?|_euclidean_dist|_dim_arange|_unique2?|_trilinear"
    r"|_stack|_chunk_cat|_aminmax|_addmm_activation|_add_relu_?|_prelu_kernel|_logcumsumexp|_lu_with_info"
    r"|_ctc_loss|_standard_gamma(_grad)?|_sample_dirichlet|_dirichlet_grad|_is_(all|any)_true|_is_zerotensor"
    r"|_efficientzerotensor|_shape_as_tensor|_reshape_(copy|from_tensor)|_pad_(circular|enum)"
    r"|_pack_padded_sequence|_pad_packed_sequence|_pack_sequence|_nested_view_from_jagged|_nested_get_\w+"
    r"|_nested_tensor_from_(mask|tensor_list)\w*|_nested_from_padded\w*|_nested_tensor_softmax_with_shape"
    r"|_padded_dense_to_jagged_forward|_jagged_to_padded_dense_forward"
    r"|_sparse_(mm|sum|softmax|log_softmax|addmm|csr_sum|csr_prod|sparse_matmul|broadcast_to|mask_projection)\w*"
    r"|_sparse_coo_tensor_with_dims(_and_tensors)?|_sparse_compressed_tensor_with_dims|_spdiags|_coalesced?"
    r"|_coalesced_|_indices|_values|_nnz|_dimI|_dimV|_validate_\w+_args"
    r"|_assert_(async|scalar|tensor_metadata)|_functional_(assert_async|assert_scalar|sym_constrain_range\w*)"
    r"|_fake_quantize_\w+|_choose_qparams_per_tensor|_make_per_(tensor|channel)_quantized_tensor"
    r"|_empty_(affine|per_channel_affine)_quantized|_saturate_weight_to_fp16|_thnn_fused_\w+|_lazy_clone"
    r"|_autocast_to_\w+|_native_multi_head_attention|_transformer_encoder_layer_fwd|_transform_bias_rescale_qkv"
    r"|_make_dual|_unpack_dual|_fw_primal|_has_compatible_shallow_copy_type|_has_same_storage_numel|_version"
    r"|_histogramdd_\w+|_segment_reduce_backward|_sobol_engine_\w+|_grid_sampler_2d_cpu_fallback|_pin_memory"
    r"|_list_to_tensor|_tensor_to_list|_unwrap_optional|_infer_size|_size_if_not_equal|_set_item"
    r"|_compute_linear_combination|_index_put_impl_?|_masked_scale|_no_grad_\w+|_amp_\w+|_cummax_helper|_cummin_helper"
    r"|_weight_int[48]pack_mm|_convert_weight_to_int4pack\w*|_philox_\w+|_slow_conv2d_forward|_new_zeros_with_same_feature_meta",
    re.ASCII,
)
"""Operators of torch's own use that a trace, an export or a script holds, and that check what they are given."""
_LOST_OBJECTS = re.compile(
    r"RRef|Future|Await|Storage|Stream\b|__torch__(?!\.torch\.classes\.(quantized|rnn)\.)|AnyClass|ScriptObject|Any\b|\.\.\."
)
"""But for packed weights of quantized and recurrent layers: torch's own objects, which a file makes of tensors only."""


def refusal(schema: Any, numbers: bool = False) -> str:
    """Why a graph from elsewhere may not run the operator of this schema; nothing where it may.

    Args:
        schema: The operator's schema.
        numbers: Whether those that take and give no tensor are allowed, by a caller that guards what they are given.

    >>> refusal(torch.ops.aten.add.Tensor._schema)
    ''
    >>> refusal(torch.ops.inductor._reinterpret_tensor.default._schema)
    'is of a package, inductor, which can do anything'
    """
    full = schema.name
    namespace, _, name = full.partition("::")
    if full in _NAMED:
        return "" if numbers or _has_tensor(schema) else _NUMBERS
    if namespace not in _NAMESPACES:
        return f"is of a package, {namespace}, which can do anything"
    if name in _FILES:
        return "opens files"
    if name in _PROCESS:
        return "does more than compute: it reads or changes the process"
    if name in _MEMORY:
        return "reads memory by an address that a tensor holds"
    if namespace == "prims" and (name in _TOKENS or name.startswith("_")):
        return "checks not what it is given, or computes nothing"
    if namespace == "aten" and name.startswith("_") and _PRIVATE.fullmatch(name.removesuffix("_copy")) is None:
        forward = name.removesuffix("_backward")
        if _PRIVATE.fullmatch(name) is None and _PRIVATE.fullmatch(forward) is None:
            return "is for torch's own use, and may not check what it is given"
    types = [str(item.type) for item in (*schema.arguments, *schema.returns)]
    if any(_LOST_OBJECTS.search(text) for text in types):
        return "takes or gives objects that files do not hold"
    if not numbers and not _has_tensor(schema):
        return _NUMBERS
    return ""


_NUMBERS = "works on plain numbers, lists or texts without checking them, which Python does for a trace"


def _has_tensor(schema: Any) -> bool:
    return any(
        "Tensor" in str(item.type) or "__torch__" in str(item.type) for item in (*schema.arguments, *schema.returns)
    )


def number_problem(args: Any) -> str:
    """Why an operator on plain numbers must not get these: C++ divides or shifts them unchecked; nothing where it may.

    >>> number_problem((-(2**63), -1))
    'a whole number is at the edge of what 64 bits hold'
    """
    for item in args:
        if type(item) is int and not -(2**63) < item < 2**63:
            return "a whole number is at the edge of what 64 bits hold"
    return ""
