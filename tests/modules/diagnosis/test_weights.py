"""`scan_weights` against an answer found the long way, within its budget, and on bad input."""

from __future__ import annotations

import io
import math
import os
import pickle
import weakref

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch.utils._python_dispatch import TorchDispatchMode

import symbreak as sb
from symbreak.errors import InvalidInput, InvalidType
from symbreak.modules.diagnosis import tensor_stats as stats_module
from symbreak.modules.diagnosis.tensor_stats import BYTES_PER_ENTRY, stats_of
from symbreak.modules.weight_scan.equal_rows import equal_rows
from symbreak.modules.weight_scan.scan import LEAST_BUDGET

DTYPES = [torch.float64, torch.float32, torch.bfloat16, torch.float16]


def normal(*shape, seed=0, std=1.0, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    return (std * torch.randn(shape, generator=generator, dtype=torch.float64)).to(dtype)


def planted():
    """Every kind of finding once; the answer stands in `EXPECTED`."""
    tensors = {f"layers.{i}.w": normal(40, 50, seed=i, std=0.2) for i in range(6)}
    tensors["layers.3.w"] = tensors["layers.1.w"].clone()
    tensors["layers.4.w"][7] = tensors["layers.4.w"][31] = tensors["layers.4.w"][2]
    tensors["layers.5.w"][0, 3] = math.nan
    tensors["layers.5.w"][9, 4] = -math.inf
    tensors["garbage.w"] = normal(20, 20, seed=9)
    tensors["garbage.w"][1] = 3e-41
    tensors["huge.w"] = normal(20, 20, seed=10)
    tensors["huge.w"][1, 1] = -1e30
    tensors["zero.w"] = torch.zeros(3, 4)
    tensors["same.w"] = torch.full((5, 6), 0.3)
    tensors["small.w"] = normal(64, 64, seed=11, std=1e-4)
    tensors["conv.w"] = normal(8, 4, 3, 3, seed=12, std=0.2)
    tensors["conv.w"][5] = tensors["conv.w"][6]
    tensors |= {"norm.weight": torch.ones(9), "norm.bias": torch.zeros(9)}
    tensors |= {"a.mask": torch.ones(8, 8).tril(), "b.mask": torch.ones(8, 8).tril()}
    tensors["keep.mask"] = torch.eye(4)[[0, 0, 1]]
    tensors["steps"] = torch.arange(12).view(3, 4)
    return tensors


EXPECTED = {
    ("non_finite", "error", "layers.5.w", ()),
    ("uninitialized", "error", "garbage.w", ()),
    ("uninitialized", "error", "huge.w", ()),
    ("identical_tensors", "warning", "layers.1", ()),
    ("identical_units", "warning", "layers.4.w", ((2, 7, 31),)),
    ("identical_units", "warning", "conv.w", ((5, 6),)),
    ("identical_units", "warning", "same.w", ((0, 1, 2, 3, 4),)),
    ("identical_units", "note", "zero.w", ((0, 1, 2),)),
    ("wrong_scale", "warning", "small.w", ()),
}


def summary(found):
    return {(f.kind, f.level, f.where, f.units) for f in found.findings}


@pytest.mark.parametrize("budget", [LEAST_BUDGET, 2**26])
def test_every_planted_finding_and_no_other(budget, tmp_path):
    save_file(planted(), tmp_path / "w.safetensors")
    found = sb.scan_weights(tmp_path / "w.safetensors", memory_budget=budget)
    assert summary(found) == EXPECTED
    assert not found.ok
    assert [f.level for f in found.findings] == sorted(
        (f.level for f in found.findings), key=["error", "warning", "note"].index
    )


def test_a_state_dict_and_a_saved_state_dict_give_the_same(tmp_path):
    torch.save({"model": planted()}, tmp_path / "w.pt")
    direct = sb.scan_weights(planted())
    assert summary(direct) == EXPECTED
    read = sb.scan_weights(str(tmp_path / "w.pt"))
    assert {("model." + w).removesuffix(".w") for _, _, w, _ in EXPECTED} == {
        f.where.removesuffix(".w") for f in read.findings
    }


def test_weights_alone_promise_no_permanence():
    found = sb.scan_weights(planted()).findings
    rows = [f for f in found if f.kind == "identical_units"]
    assert all(f.permanent is None and "Weights alone cannot tell" in f.remedy for f in rows)


def test_a_tied_tensor_is_one_tensor_and_a_copy_is_two():
    weight = normal(9, 9)
    assert not sb.scan_weights({"embed": weight, "head": weight}).findings
    assert sb.scan_weights({"embed": weight, "head": weight.clone()}).findings


def test_tensors_of_the_same_numbers_in_another_order_are_not_equal():
    one = torch.arange(-50.0, 50.0).view(10, 10) / 128  # sums of these are exact in any order
    found = sb.scan_weights({"one": one, "other": one.flip(0), "third": one.clone()}).findings
    assert ["one, third" in f.evidence for f in found] == [True]


def test_the_meta_device():
    (found, _) = sb.scan_weights(torch.nn.Linear(3, 4, device="meta").state_dict()).findings
    assert found.kind == "uninitialized"


@pytest.mark.parametrize("dtype", DTYPES)
@given(data=st.data())
def test_equal_rows_are_those_that_numpy_finds(dtype, data):
    n_rows, width = data.draw(st.integers(1, 30)), data.draw(st.integers(1, 12))
    few = data.draw(st.integers(1, 3))  # few values, so that rows and their keys meet often
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    rows = torch.from_numpy(rng.integers(0, few + 1, (n_rows, width)) / 7.0).to(dtype)
    if data.draw(st.booleans()):
        rows = rows.t().contiguous().t()
    exact = rows.double().numpy()
    _, inverse = np.unique(exact, axis=0, return_inverse=True)
    groups = [tuple(np.flatnonzero(inverse.ravel() == k)) for k in set(inverse.ravel())]
    assert equal_rows(rows, 8) == tuple(sorted(g for g in groups if len(g) > 1))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("most", [7, 1000, 10**6])
def test_facts_against_numpy(dtype, transposed, most):
    value = normal(60, 50, dtype=dtype)
    value[3, 4], value[50, 1], value[2, 2] = math.inf, math.nan, 0.0
    value = value.t() if transposed else value
    exact = value.double().numpy()
    finite = exact[np.isfinite(exact)]
    stats = stats_of(value, most)
    assert (stats.count, stats.non_finite) == (3000, 2)
    assert (stats.low, stats.high) == (finite.min(), finite.max())
    assert stats.sampled == finite.size
    assert stats.spread == pytest.approx(finite.std(), rel=1e-12)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_denormal_numbers_against_numpy(dtype):
    tiny = torch.finfo(dtype).tiny
    value = normal(30, 30, dtype=dtype)
    value[2] = tiny / 2
    value[3] = -tiny / 4
    value[4] = 0.0
    value[5] = tiny
    assert stats_of(value, 100).denormal == 60


def test_the_spread_of_a_large_tensor_is_sampled_over_all_columns():
    value = normal(512, 512)
    value[:, ::2] *= 3.0
    stats = stats_of(value)
    assert stats.sampled < value.numel() / 16
    error = 4 / math.sqrt(2 * stats.sampled)
    assert stats.spread == pytest.approx(float(value.double().std()), rel=error)


def test_numbers_of_one_byte_can_be_scanned():
    value = normal(8, 8).to(torch.float8_e4m3fn)
    value[1] = value[0]
    assert summary(sb.scan_weights({"w": value})) == {
        ("identical_units", "warning", "w", ((0, 1),))
    }


class Allocations(TorchDispatchMode):
    """Counts the bytes of tensors that are alive and lie in none of the given memory."""

    def __init__(self, given):
        super().__init__()
        self.given = [(t.data_ptr(), t.data_ptr() + t.nbytes) for t in given]
        self.alive = self.peak = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        results = function(*args, **(kwargs or {}))
        for result in results if isinstance(results, tuple | list) else (results,):
            if isinstance(result, torch.Tensor) and not self._is_view(result, args):
                self._count(result)
        return results

    def _is_view(self, result, args):
        start = result.untyped_storage().data_ptr()
        inside = any(low <= start < high for low, high in self.given)
        return inside or any(
            isinstance(arg, torch.Tensor) and arg.untyped_storage().data_ptr() == start
            for arg in args
        )

    def _count(self, result):
        self.alive += result.nbytes
        self.peak = max(self.peak, self.alive)
        weakref.finalize(result, self._release, result.nbytes)

    def _release(self, size):
        self.alive -= size


@pytest.mark.parametrize("budget", [LEAST_BUDGET, 2**20])
def test_the_budget_is_kept(budget):
    tensors = {
        f"{dtype}.{i}": normal(600, 700, dtype=dtype, seed=1) for i in range(2) for dtype in DTYPES
    }
    pictures = normal(600, 20, 5, 7)
    tensors["channels last"] = pictures.to(memory_format=torch.channels_last)
    for value in tensors.values():
        value[5] = value[6]
        value[9, 9] = math.nan
        value[10] = 1e-45
    with Allocations(tensors.values()) as allocations:
        found = sb.scan_weights(tensors, memory_budget=budget)
    assert len(found.findings) > 4
    assert "channels last" in {f.where for f in found.findings if f.kind == "identical_units"}
    assert 0 < allocations.peak <= budget


def test_rows_too_many_for_the_budget_are_said_not_to_be_compared():
    rows = normal(2000, 3)
    rows[1] = rows[0]
    (found,) = sb.scan_weights({"w": rows}, memory_budget=LEAST_BUDGET).findings
    assert (found.level, found.units) == ("note", ())
    assert "were not compared" in found.evidence
    (found,) = sb.scan_weights({"w": rows}).findings
    assert found.units == ((0, 1),)


def test_one_row_larger_than_the_budget_is_read_in_pieces(monkeypatch):
    seen = []
    original = stats_module._add_range
    monkeypatch.setattr(
        stats_module, "_add_range", lambda f, part: (seen.append(part.numel()), original(f, part))
    )
    value = normal(2, 100_000)
    value[1, 99_999] = math.nan
    (found,) = sb.scan_weights({"w": value}, memory_budget=LEAST_BUDGET).findings
    assert found.kind == "non_finite"
    assert max(seen) <= LEAST_BUDGET // BYTES_PER_ENTRY
    assert sum(seen) == 200_000


class Touch:
    """A pickle of it writes a file when it is loaded by plain pickle."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


@pytest.mark.parametrize("name", ["w.pt", "w.pth", "w.bin", "w.ckpt"])
def test_a_pickle_that_runs_code_is_refused_and_not_run(name, tmp_path):
    torch.save({"w": Touch(str(tmp_path / "ran"))}, tmp_path / name)
    with pytest.raises(InvalidInput, match="Got a pickle that would run code"):
        sb.scan_weights(tmp_path / name)
    (tmp_path / name).write_bytes(pickle.dumps(Touch(str(tmp_path / "ran"))))
    with pytest.raises(InvalidInput, match="must"):
        sb.scan_weights(tmp_path / name)
    assert not os.path.exists(tmp_path / "ran")


def saved():
    buffer = io.BytesIO()
    torch.save({"w": normal(30, 30)}, buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("name", ["w.safetensors", "w.pt", "w.unknown"])
@pytest.mark.parametrize(
    "content",
    [b"", b"x", b"not weights at all" * 9, (2**60).to_bytes(8, "little") + b"{}", saved()[:500]],
    ids=["empty", "a byte", "text", "huge header", "cut off"],
)
def test_what_is_no_file_of_weights_gets_one_sentence(name, content, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidInput, match=r"^Weights '.*' must .*\. Got") as error:
        sb.scan_weights(tmp_path / name)
    assert "\n" not in str(error.value)


def test_what_is_no_file_of_torch_save_is_called_so(tmp_path):
    (tmp_path / "t.pt").write_text("hello")
    with pytest.raises(InvalidInput, match=r"must be a whole file of torch\.save"):
        sb.scan_weights(tmp_path / "t.pt")


@pytest.mark.parametrize("kept", [4, 20, 100, -1])
def test_a_file_that_was_cut_off(kept, tmp_path):
    path = tmp_path / "w.safetensors"
    save_file({"w": normal(30, 30)}, path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(InvalidInput, match="must be a whole safetensors file"):
        sb.scan_weights(path)


def test_what_is_not_there_and_what_is_a_folder(tmp_path):
    with pytest.raises(InvalidInput, match="Got none of that name"):
        sb.scan_weights(tmp_path / "no.safetensors")
    with pytest.raises(InvalidInput, match="Got a folder"):
        sb.scan_weights(tmp_path)


@pytest.mark.parametrize("weights", [None, 3, [torch.ones(2)], torch.nn.Linear(2, 2)])
def test_what_is_neither_a_path_nor_a_mapping(weights):
    with pytest.raises(InvalidType, match="must be a path or a mapping"):
        sb.scan_weights(weights)


@pytest.mark.parametrize("weights", [{}, {"epoch": 3}])
def test_a_mapping_without_tensors(weights):
    with pytest.raises(InvalidInput, match="must hold tensors by name"):
        sb.scan_weights(weights)


def test_a_saved_tensor_is_no_state_dict(tmp_path):
    torch.save(torch.ones(3), tmp_path / "w.pt")
    with pytest.raises(InvalidInput, match=r"must hold a state dict\. Got Tensor"):
        sb.scan_weights(tmp_path / "w.pt")


@pytest.mark.parametrize("budget", [0, -1, LEAST_BUDGET - 1, 1e9, True, "64 MiB"])
def test_a_budget_that_is_none(budget):
    with pytest.raises(InvalidInput, match="memory_budget of scan_weights must be"):
        sb.scan_weights({"w": torch.ones(2, 2)}, memory_budget=budget)


def test_an_empty_tensor_is_no_finding():
    assert not sb.scan_weights({"w": torch.empty(0, 4), "v": torch.empty(4, 0)}).findings


def test_complex_tensors_are_pairs_of_real_ones(tmp_path):
    value = torch.complex(normal(6, 5), normal(6, 5, seed=1))
    value[4] = value[2]
    save_file({"w": value}, tmp_path / "w.safetensors")
    for weights in ({"w": value}, tmp_path / "w.safetensors"):
        (found,) = sb.scan_weights(weights).findings
        assert (found.kind, found.units) == ("identical_units", ((2, 4),))
    value[0, 0] = torch.tensor(complex(0, math.nan))
    assert sb.scan_weights({"w": value}).findings[0].kind == "non_finite"


@pytest.mark.parametrize(
    "weights", [{"w": torch.ones(3, dtype=torch.int8)}, {"w": torch.eye(3).to_sparse()}]
)
def test_weights_with_nothing_to_look_at_are_not_called_sound(weights):
    with pytest.raises(InvalidInput, match="must hold at least one dense tensor of real"):
        sb.scan_weights(weights)


def test_a_file_without_tensors_is_not_called_sound(tmp_path):
    save_file({}, tmp_path / "w.safetensors")
    with pytest.raises(InvalidInput, match="Got no tensor"):
        sb.scan_weights(tmp_path / "w.safetensors")


def test_names_in_lists_views_of_another_dtype_and_names_given_twice():
    bad = torch.tensor([[1.0, math.nan]])
    assert sb.scan_weights({"layers": [bad, bad.clone()]}).findings[1].where == "layers.1"
    assert sb.scan_weights({"i": bad.view(torch.int32), "w": bad}).findings[0].where == "w"
    with pytest.raises(InvalidInput, match=r"must be distinct. Got 'a\.b' twice"):
        sb.scan_weights({"a": {"b": bad}, "a.b": bad.clone()})
