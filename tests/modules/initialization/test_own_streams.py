"""What a parameter gets depends on seed, name and shape: not on company, dtype or history."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import symbreak as sb
from symbreak.initialization import Stream
from symbreak.modules.anatomy.roles import role_of
from symbreak.modules.initialization import draw
from symbreak.modules.initialization.draw import draw_rows

LAYERS = {
    "linear": lambda: nn.Linear(7, 5),
    "conv": lambda: nn.Conv2d(4, 6, 3, groups=2),
    "transposed": lambda: nn.ConvTranspose2d(4, 6, 3, stride=2),
    "lstm": lambda: nn.LSTM(5, 6, proj_size=3),
    "gru cell": lambda: nn.GRUCell(5, 6),
    "attention": lambda: nn.MultiheadAttention(6, 2, kdim=3, vdim=4, add_bias_kv=True),
    "embedding": lambda: nn.Embedding(9, 4, padding_idx=2),
    "bilinear": lambda: nn.Bilinear(3, 4, 5),
}
RULES = [None, "glorot_uniform", "orthogonal", "torch_default", "truncated_normal"]


def start(module, rule=None, **options):
    sb.initialize_module(module, rule, **options)
    return {name: p.detach().clone() for name, p in module.named_parameters()}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("layer", LAYERS)
def test_other_layers_change_nothing(layer, rule):
    alone = start(nn.ModuleDict({"it": LAYERS[layer]()}), rule)
    company = {"before": nn.Linear(2, 3), "it": LAYERS[layer](), "after": LAYERS[layer]()}
    together = start(nn.ModuleDict(company), rule)
    for name, values in alone.items():
        assert torch.equal(together[name], values)
    weight = next(name for name in alone if "weight" in name).removeprefix("it.")
    assert not torch.equal(together[f"after.{weight}"], together[f"it.{weight}"])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("layer", LAYERS)
def test_a_dtype_only_rounds(layer, rule, dtype):
    exact = start(LAYERS[layer]().double(), rule)
    rounded = start(LAYERS[layer]().to(dtype), rule)
    for name, values in exact.items():
        assert torch.equal(rounded[name], values.to(dtype))


def numpy_state() -> Any:
    state: Any = np.random.get_state()  # noqa: NPY002 - the state that users may have set
    return state[1].copy()


def test_global_random_states_neither_matter_nor_change():
    module = nn.Sequential(nn.Linear(3, 4), nn.Dropout(), nn.Linear(4, 2))
    batch = torch.ones(5, 3)
    before = torch.get_rng_state(), numpy_state()
    first = start(module)["0.weight"]
    start(module, batch=batch)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.array_equal(numpy_state(), before[1])
    torch.manual_seed(2)
    assert torch.equal(start(module)["0.weight"], first)
    assert not torch.equal(start(module, seed=1)["0.weight"], first)


def test_a_fresh_seed_is_told_and_repeats():
    module = nn.Linear(3, 4)
    table = sb.initialize_module(module, seed=None)
    assert table.seed != sb.initialize_module(nn.Linear(3, 4), seed=None).seed
    again = start(nn.Linear(3, 4), seed=table.seed)
    assert torch.equal(again["weight"], module.weight)


def test_memory_order_does_not_matter():
    for kind in (nn.Conv2d, nn.ConvTranspose2d):
        plain, last = (kind(4, 6, 3, groups=2) for _ in range(2))
        last.weight.data = last.weight.data.contiguous(memory_format=torch.channels_last)
        assert not last.weight.is_contiguous()
        assert torch.equal(start(plain)["weight"], start(last)["weight"])


@pytest.mark.parametrize("rule", ["glorot_uniform", "truncated_normal", "orthogonal"])
def test_a_shard_draws_only_its_rows(rule):
    shape = role_of(nn.Linear(6, 11), "weight", (11, 6)).weight_shape((11, 6))
    chosen = sb.rules.resolve(rule)
    whole = chosen.draw(shape, Stream(3, "weight", (0, 5)))
    for rows in (range(4), range(4, 9), range(9, 11), range(11)):
        part = draw_rows(chosen, shape, Stream(3, "weight", (0, 5)), rows)
        assert np.array_equal(part, whole[:, rows.start : rows.stop])


def test_large_weights_are_drawn_in_pieces_that_do_not_show(monkeypatch):
    whole = start(nn.Linear(9, 23), "torch_default")
    monkeypatch.setattr(draw, "ENTRIES_AT_ONCE", 50)
    pieces = start(nn.Linear(9, 23), "torch_default")
    assert torch.equal(pieces["weight"], whole["weight"])
    assert torch.equal(pieces["bias"], whole["bias"])


def test_one_more_unit_appends_a_row():
    small, large = start(nn.Linear(7, 15), "normal"), start(nn.Linear(7, 16), "normal")
    assert torch.equal(large["weight"][:15], small["weight"])


def test_numbers_are_those_of_the_documented_words():
    table = nn.Module()
    table.inner = nn.Linear(3, 2).double()
    sb.initialize_module(table, sb.rules.Normal(std=0.5), seed=9)
    z = Stream(9, "inner.weight", (0,)).normal((2, 4))[0]
    assert np.array_equal(table.inner.weight.detach().numpy(), 0.5 * z[:, 1:])


def test_module_cost_draws_the_same():
    module = nn.Sequential(nn.Conv2d(4, 6, 3, groups=2), nn.ConvTranspose2d(6, 2, 2))
    cost = sb.ModuleCost(module, step=lambda m, _: next(m.parameters()).sum())
    theta = cost.initialize("torch_default", seed=5)
    found = start(module, "torch_default", seed=5)
    for block in cost.blocks:
        assert torch.equal(theta[block.slice].reshape(block.shape), found[block.name])
