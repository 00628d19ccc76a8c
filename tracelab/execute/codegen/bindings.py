"""Operators whose Python binding takes the arguments of the schema as they stand, in the schema's order."""

from __future__ import annotations

from tracelab.compat.bindings import SPLIT

METHODS = frozenset(
    """
    alias clone contiguous copy_ cpu detach dim expand expand_as fill_ index_add item masked_fill masked_scatter
    new_empty new_full new_ones new_zeros permute repeat reshape reshape_as select size slice split
    squeeze t transpose type_as unfold unsqueeze view view_as zero_
    """.split()
) - {"alias", "slice", "cpu", "item"}
"""Called as methods: they have no function form, or read better so."""

FUNCTIONS = frozenset(
    """
    abs acos acosh add addbmm addcdiv addcmul addmm addmv addr all amax amin any arange argmax argmin argsort asin
    asinh atan atan2 atanh baddbmm batch_norm bmm bitwise_and bitwise_not bitwise_or bitwise_xor bucketize cat ceil
    celu chunk clamp clamp_max clamp_min clone constant_pad_nd conv1d conv2d conv3d conv_transpose1d
    conv_transpose2d conv_transpose3d cos cosh cosine_similarity cross cummax cummin cumprod cumsum diag diag_embed
    diagonal div dot dropout dropout_ einsum embedding eq erf erfc exp exp2 expm1 feature_dropout
    flatten flip floor floor_divide fmod frac full_like gather ge greater group_norm gru gru_cell gt hardshrink
    index_select instance_norm inverse isfinite isinf isnan kthvalue layer_norm le lerp less lgamma log log10 log1p
    log2 log_softmax logaddexp logical_and logical_not logical_or logical_xor logsumexp lstm lstm_cell lt masked_fill
    masked_select matmul max max_pool1d max_pool2d max_pool3d maximum mean median min minimum mm movedim mul
    multinomial mv narrow native_layer_norm ne neg norm ones ones_like outer pow prod rand rand_like randn
    randn_like real reciprocal relu relu_ remainder rms_norm rnn_relu rnn_relu_cell rnn_tanh rnn_tanh_cell roll rot90
    round rsqrt rsub scatter scatter_add
    select_scatter selu sigmoid sign sin sinh softmax sort split split_with_sizes sqrt square squeeze
    stack std sub sum t take take_along_dim tan tanh threshold threshold_ tile topk transpose tril triu
    trunc unbind unsqueeze var where zeros zeros_like
    """.split()
)
"""Called as `torch.<name>`."""

NN = frozenset(
    """
    adaptive_avg_pool2d adaptive_avg_pool3d avg_pool2d avg_pool3d elu gelu glu hardswish hardtanh huber_loss l1_loss
    leaky_relu linear log_sigmoid mish mse_loss nll_loss_nd one_hot pad relu6 scaled_dot_product_attention silu
    smooth_l1_loss softplus softshrink
    """.split()
)
"""Called through the bindings that `torch.nn.functional` itself uses."""

LEAN = {"split": SPLIT}
"""Called so in code that runs: `torch.<name>` is a Python function around them."""

ONLY_OVERLOAD = frozenset({"norm", "einsum", "sum_to_size", "std", "var", "split", "index_put_", "_index_put_impl_"})
"""Bindings whose Python arguments differ from the schema's: they know no None in a list of tensors, for one."""
