"""Numbers that are not finite, memory never written, equal tensors and wrong scales."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import nn
from torch.nn.functional import mse_loss

from symbreak.modules.diagnosis.detectors import (
    identical_tensors,
    non_finite,
    uninitialized,
    wrong_scale,
)
from symbreak.modules.observation.observed import LINEAR, Observed, SeenParameter, Site
from tests.modules.diagnosis.seen import observe, of_parameters


def seen_values(values, role="linear weight", **more):
    parameters = (SeenParameter(name, value, None, role) for name, value in values.items())
    return of_parameters(*parameters, **more)


def normal(*shape, std=1.0, seed=0, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    return (std * torch.randn(shape, generator=generator, dtype=torch.float64)).to(dtype)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_of_parameters_batch_and_gradients_the_first_cause_is_named(bad, dtype):
    value = normal(3, 4, dtype=dtype)
    value[1, 2] = bad
    ok = normal(3, 4, dtype=dtype)
    sick = SeenParameter("a", value, ok, "linear weight")
    rest = (
        SeenParameter("b", ok, value, "linear weight"),
        SeenParameter("c", ok, ok, "linear weight"),
    )
    (a,) = non_finite.detect(of_parameters(*rest, sick, batch=(ok, value)))
    assert (a.kind, a.level, a.where) == ("non_finite", "error", "a")
    assert "1 of 12 entries are" in a.evidence
    (batch,) = non_finite.detect(of_parameters(*rest, batch=(ok, {"mask": value})))
    assert (batch.where, "1 of 24 entries of the batch" in batch.evidence) == ("", True)
    (b,) = non_finite.detect(of_parameters(*rest, batch=(ok, ok)))
    assert (b.where, "gradient" in b.evidence) == ("b", True)
    assert not list(non_finite.detect(of_parameters(rest[1], batch=value)))  # it harms nothing


def test_of_sites_only_the_first_is_named_and_the_loss():
    ok, bad = torch.ones(2, 3), torch.full((2, 3), math.nan)
    sites = tuple(Site(n, LINEAR, v, ok) for n, v in (("a", ok), ("b", bad), ("c", bad)))
    found = list(non_finite.detect(Observed(nn.Module(), math.nan, sites, ())))
    assert [f.where for f in found] == ["b", ""]


def garbage(kind, shape=(32, 32)):
    words = torch.randint(-(2**31), 2**31, shape, generator=torch.Generator().manual_seed(5))
    words = words.to(torch.int32)
    if kind == "pointers":
        words = words.abs() % 2**20 + 0x7F00  # high halves of addresses read as float32
    return words.view(torch.float32).nan_to_num(0.0, 0.0, 0.0)


@pytest.mark.parametrize("kind", ["random words", "pointers"])
def test_memory_that_was_never_written(kind):
    (found,) = uninitialized.detect(seen_values({"w": garbage(kind)}))
    assert (found.kind, found.level, found.where) == ("uninitialized", "error", "w")


def test_the_meta_device():
    module = nn.Linear(3, 4, device="meta")
    (found, _) = uninitialized.detect(seen_values(dict(module.named_parameters())))
    assert "meta device" in found.evidence


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("std", [1e-3, 0.02, 1.0, 20.0])
def test_normal_weights_were_written(dtype, std):
    """float16 weights of spread 1e-3 are denormal now and then; that is no sign."""
    values = {"w": normal(64, 64, std=std, dtype=dtype), "b": torch.zeros(64, dtype=dtype)}
    assert not list(uninitialized.detect(seen_values(values)))


def test_denormal_numbers_count_from_one_percent_on():
    value = normal(100, 10)
    value.view(-1)[:9] = 1e-40
    assert not list(uninitialized.detect(seen_values({"w": value})))
    value.view(-1)[9] = -1e-40
    (found,) = uninitialized.detect(seen_values({"w": value}))
    assert "10 of 1000 entries are denormal" in found.evidence


def test_cloned_layers_are_one_finding():
    layers = nn.Sequential(*(copy.deepcopy(layer) for layer in [nn.Linear(4, 4)] * 3))
    (found,) = identical_tensors.detect(seen_values(dict(layers.named_parameters())))
    assert (found.kind, found.level, found.where) == ("identical_tensors", "warning", "0")
    assert "3 places: 0, 1, 2" in found.evidence


def test_a_key_used_twice_gives_proportional_tensors():
    one, two = normal(8, 8, std=0.1), normal(8, 8, std=0.7)
    (found,) = identical_tensors.detect(seen_values({"a.w": one, "b.w": two}))
    assert "equal up to one factor" in found.evidence
    two[7, 7] *= 1 + 1e-4
    assert not list(identical_tensors.detect(seen_values({"a.w": one, "b.w": two})))


@pytest.mark.parametrize(
    "value",
    [torch.zeros(4, 4), torch.ones(4, 4), torch.tril(torch.ones(4, 4)), normal(16)],
    ids=["zeros", "ones", "mask", "one axis"],
)
def test_equal_tensors_that_are_meant_to_be(value):
    assert not list(identical_tensors.detect(seen_values({"a.w": value, "b.w": value.clone()})))


def test_independent_tensors_are_not_identical():
    values = {f"{i}.w": normal(6, 6, seed=i) for i in range(5)}
    assert not list(identical_tensors.detect(seen_values(values)))


@pytest.mark.parametrize(("std", "found"), [(0.04, 1), (0.05, 0), (4.2, 0), (4.8, 1)])
def test_the_range_around_hes_rule(std, found):
    """fan_in 10: He's spread 0.447, sound from 0.0447 to 4.47."""
    findings = list(wrong_scale.detect(seen_values({"w": normal(4000, 10, std=std)})))
    assert [f.level for f in findings] == ["warning"] * found


MISCOUNTED = {
    # name: module, its weight, what torch counts as fan_out or fan_in, true spread of He's rule
    "depthwise": (nn.Conv2d(128, 128, 3, groups=128), "fan_out", 9),
    "grouped": (nn.Conv2d(64, 64, 3, groups=8), "fan_out", 8 * 9),
    "transposed": (nn.ConvTranspose2d(16, 64, 4), "fan_in", 16 * 16),
    "strided": (nn.ConvTranspose2d(16, 64, 4, stride=2), "fan_in", 16 * 4),
}


@pytest.mark.parametrize("case", MISCOUNTED)
def test_fans_that_torch_counts_wrong(case):
    module, mode, fan = MISCOUNTED[case]
    torch.manual_seed(7)
    nn.init.kaiming_normal_(module.weight, mode=mode, nonlinearity="relu")
    seen = seen_values({"weight": module.weight.detach()}, "conv weight", module=module)
    (found,) = wrong_scale.detect(seen)
    assert (found.kind, found.level, found.where) == ("wrong_scale", "warning", "weight")
    nn.init.normal_(module.weight, std=math.sqrt(2 / fan))
    assert not list(wrong_scale.detect(seen))


def test_packed_attention_is_a_note():
    """xavier_uniform_ on (3 E, E) takes fan_out for 3 E: smaller by sqrt(2)."""
    torch.manual_seed(8)
    module = nn.MultiheadAttention(64, 4)
    seen = seen_values({"in_proj_weight": module.in_proj_weight.detach()}, module=module)
    (found,) = wrong_scale.detect(seen)
    assert found.level == "note"
    assert "Glorot" in found.evidence
    for part in module.in_proj_weight.detach().split(64):
        nn.init.xavier_uniform_(part)
    assert not list(wrong_scale.detect(seen))


def test_stacked_experts():
    torch.manual_seed(9)
    experts = torch.empty(8, 64, 128)
    nn.init.kaiming_normal_(experts, nonlinearity="relu")
    (found,) = wrong_scale.detect(seen_values({"experts.w": experts}, "product"))
    assert "64" in found.remedy
    for expert in experts:
        nn.init.kaiming_normal_(expert.T, nonlinearity="relu")
    assert not list(wrong_scale.detect(seen_values({"experts.w": experts}, "product")))


def test_a_recurrent_unit_sums_over_inputs_and_hidden_units():
    """One input, 512 hidden units: U(+-1 / sqrt(512)) is far below He's sqrt(2 / 1), and sound."""
    module = nn.GRU(1, 512)
    values = {name: value.detach() for name, value in module.named_parameters()}
    assert not list(wrong_scale.detect(seen_values(values, "recurrent", module=module)))


@pytest.mark.parametrize(("std", "found"), [(1.0, 0), (0.02, 0), (1e-4, 1), (30.0, 1)])
def test_embeddings_alone(std, found):
    seen = seen_values({"embed.weight": normal(500, 256, std=std)}, "embedding")
    assert len(list(wrong_scale.detect(seen))) == found


def test_an_embedding_that_is_the_head_too():
    parameter = SeenParameter(
        "embed.weight", normal(500, 256), None, "embedding", functions=("embedding", "linear")
    )
    (found,) = wrong_scale.detect(of_parameters(parameter))
    assert found.level == "warning"


def test_the_remedy_of_a_wrong_scale_helps():
    module = nn.Sequential(nn.Linear(30, 40))
    nn.init.normal_(module[0].weight, std=9.0)
    X, y = normal(9, 30), normal(9, 40)
    (found,) = wrong_scale.detect(observe(module, mse_loss, X, y))
    exec(found.call, {"torch": torch, "module": module})
    assert not list(wrong_scale.detect(observe(module, mse_loss, X, y)))
