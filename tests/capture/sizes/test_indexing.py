"""`x[...]` and `x[...] = v` follow torch's rules at the trace and on inputs of other sizes."""

from __future__ import annotations

import collections

import numpy as np
import pytest
import torch

import tracelab
from support.replay import assert_same, replays

SMALL, LARGE = torch.randn(3, 4), torch.randn(5, 6)


def reads(read):
    return replays(read, SMALL, SMALL, LARGE)


def writes(write, *, like=lambda x: x.clone()):
    """`write(y, x)` changes `y`, a copy of the input `x`."""

    def written(x):
        y = like(x)
        write(y, x)
        return y

    return replays(written, SMALL, SMALL, LARGE)


def kinds(traced):
    return [node.kind for node in traced.graph.nodes]


def test_a_slice_over_the_whole_example_stays_beside_a_list():
    reads(lambda x: x[:3, [0, 1]])


def test_a_slice_over_the_whole_example_stays_beside_a_bool():
    reads(lambda x: x[:3, True])


def test_a_write_to_a_list_beside_a_slice_replays():
    def write(y, x):
        y[:, [0, 2]] = x[:, :2] * 2

    writes(write)


def test_a_write_by_index_put_with_a_gap_among_its_indices_replays():
    def write(y, x):
        y[:, torch.arange(y.size(1) // 2)] = x.sum()

    writes(write)


def test_a_value_may_have_leading_ones_beside_a_table_of_indices():
    def write(y, x):
        y[[0, 2]] = x[None, None, :1]

    writes(write)


def test_a_value_may_have_leading_ones_beside_a_mask():
    def write(y, x):
        y[x > 0] = torch.ones(1, 1, 1)

    writes(write)


def test_a_value_of_one_element_that_overlaps_the_place_is_spread():
    def write(y, x):
        y[1] = y[1][..., :1]

    writes(write)


@pytest.mark.parametrize(
    "index",
    [
        range(2),
        np.array([0, -1]),
        np.array([[0], [1]], dtype=np.int32),
        np.int64(1),
        np.array(1),
        collections.deque([0, 2]),
        [0.5, 1.5],
        [],
        (0, []),
        [[0, 1], [1, 2]],
        [None, 0],
        [slice(1, None), 0],
        (slice(None), (0, 1)),
        (..., [0, 1]),
        ([0, 1], None, [1, 0]),
        (None, [0, 1], slice(None)),
        (),
        (..., 0, ...),
        (slice(None, 10**30), -1),
        (slice(True), slice(np.int64(2))),
    ],
    ids=repr,
)
@pytest.mark.filterwarnings("ignore:Using a non-tuple sequence")
def test_an_index_of_this_kind_reads_and_writes(index):
    reads(lambda x: x[index])

    def write(y, x):
        y[index] = x[index] * 2

    writes(write)


@pytest.mark.parametrize("index", [True, False, (True,), (0, True), (False, 0), ([0, 1], True)], ids=repr)
def test_a_bool_is_a_new_dimension_of_one_element_or_none(index):
    reads(lambda x: x[index])

    def write(y, x):
        y[index] = 7

    writes(write)


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8])
def test_a_bool_in_a_tensor_stays_traced(dtype):
    def both(x):
        y = x.clone()
        flag = (x.sum() > 0).to(dtype)
        y[flag, 0] = 1
        return y, x[flag], x[0, flag]

    replays(both, SMALL.abs(), SMALL.abs(), -LARGE.abs(), LARGE.abs())


def test_a_bool_read_out_of_a_tensor_stays_traced():
    def both(x):
        y = x.clone()
        flag = (x > 0).all().item()
        y[flag] = torch.ones(1, dtype=torch.float64)
        return y, x[flag]

    replays(both, SMALL.abs(), SMALL.abs(), -LARGE.abs(), LARGE.abs())


def test_sizes_in_a_list_stay_traced():
    reads(lambda x: x[[x.size(0) - 1, 0]])
    reads(lambda x: x[:, [[x.size(1) // 2, -1], [0, 1]]])


@pytest.mark.filterwarnings("ignore:Using a non-tuple sequence")
def test_tensors_in_a_list_stay_traced():
    def read(x):
        place = x.argmax() % 3
        return x[[place, 0]], x[:, [[place], [0]]]

    reads(read)


def test_a_size_in_a_list_of_a_write_stays_traced():
    def write(y, x):
        y[:, [x.size(1) - 1, 0]] = x.size(0)

    writes(write)


def test_bounds_in_tensors_stay_traced():
    def read(x):
        place = (x.argmax() % 2 + 1).reshape(1)
        return x[:place], x[(x.sum() > 0) :], x[:: place[0]]

    replays(read, SMALL.abs(), SMALL.abs(), -LARGE.abs())


def test_a_mask_beside_slices_follows_the_data():
    def both(x):
        y = x.clone()
        y[1:, x[0] > 0] = 3
        y[y < 0] *= 2
        return y, x[:3, x[0] > 0]

    replays(both, SMALL, SMALL, LARGE, -LARGE)


@pytest.mark.filterwarnings("ignore:indexing with dtype torch.uint8")
def test_a_mask_of_bytes_indexes_as_one_of_bools():
    reads(lambda x: x[(x > 0).to(torch.uint8)])


@pytest.mark.parametrize("places", [(0,), (0, [0]), [True]], ids=repr)
def test_a_value_of_another_dtype_is_refused_where_torch_refuses_it(places):
    """Without tensors among the entries a value is cast; with them torch wants the dtype of the tensor."""

    def write(x):
        y = x.clone()
        y[places] = torch.arange(x.size(1)).double()[:1]
        return y

    try:
        write(SMALL)
    except (IndexError, RuntimeError):
        with pytest.raises(tracelab.TraceError):
            tracelab.trace(write, SMALL)
    else:
        replays(write, SMALL, SMALL, LARGE)


@pytest.mark.parametrize("value", ["a", [1], None, np.array(1), np.float32(1)], ids=repr)
def test_a_value_that_torch_refuses_is_refused(value):
    def write(x):
        x = x.clone()
        x[0] = value

    with pytest.raises(tracelab.TraceError, match="can't assign"):
        tracelab.trace(write, SMALL)


@pytest.mark.parametrize("value", [2, -1.5, True, np.int64(3), np.float64(0.5)], ids=repr)
def test_a_number_is_written_as_torch_writes_it(value):
    def write(y, x):
        y[0] = value
        y[:, [1, 0]] = value
        y[y > 0] = value

    writes(write)
    writes(write, like=lambda x: x.to(torch.int64))


@pytest.mark.parametrize("index", ["a", 1.0, {}, 10**30, (0, 0, 0), slice(0.5, 1), slice(None, None, -1)], ids=repr)
def test_an_index_that_torch_refuses_is_refused(index):
    def read(x):
        return x[index]

    with pytest.raises(tracelab.TraceError):
        tracelab.trace(read, SMALL)


def test_a_list_is_a_constant_of_the_graph_and_one_index():
    traced = reads(lambda x: x[[0, 2]])
    assert kinds(traced) == ["prim::Constant", "aten::clone", "aten::index"]


def test_an_augmented_write_of_a_row_adds_nothing_to_what_torch_does():
    def write(y, x):
        y[0] += 1

    assert kinds(writes(write)) == [
        "aten::clone",
        "aten::select",
        "aten::add_",
        "aten::select",
        "aten::copy_",
    ]


def test_a_list_indexes_on_the_meta_device_and_replays_on_the_cpu():
    traced = tracelab.trace(lambda x: x[:, [0, 2]], torch.empty(3, 4, device="meta"), check_trace=False)
    assert_same(traced(LARGE), LARGE[:, [0, 2]])


def test_a_class_of_tensors_reads_its_items_itself():
    class Tenfold(torch.Tensor):
        @classmethod
        def __torch_function__(cls, function, types, args=(), kwargs=None):
            if function is torch.Tensor.__getitem__:
                return args[0].as_subclass(torch.Tensor)[args[1]] * 10
            return super().__torch_function__(function, types, args, kwargs or {})

    reads(lambda x: x.as_subclass(Tenfold)[0])


def test_a_subclass_without_rules_of_its_own_keeps_its_class_and_its_slices():
    class Plain(torch.Tensor):
        pass

    def read(x):
        y = x.as_subclass(Plain)
        return y[:3, [0, 1]], y[:3, 0]

    traced = tracelab.trace(read, SMALL, check_trace=False)
    for found, wanted in zip(traced(LARGE), read(LARGE), strict=True):
        assert type(found) is Plain
        assert torch.equal(found, wanted)
