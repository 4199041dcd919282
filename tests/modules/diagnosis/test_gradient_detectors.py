"""Parameters without a gradient, unused ones, and updates lost to rounding."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.functional import mse_loss

from symbreak.modules.diagnosis.detectors import lost_updates, no_gradient
from symbreak.modules.observation.observed import SeenParameter
from tests.modules.diagnosis.seen import observe, of_parameters


class Adapter(nn.Module):
    """x W' + drop(x A' B'), W frozen: LoRA."""

    def __init__(self, zero):
        super().__init__()
        self.base = nn.Linear(6, 4, bias=False).requires_grad_(False)
        self.A = nn.Linear(6, 2, bias=False)
        self.B = nn.Linear(2, 4, bias=False)
        for name in zero:
            nn.init.zeros_(getattr(self, name).weight)

    def forward(self, x):
        return self.base(x) + nn.functional.dropout(self.B(self.A(x)), 0.1)


def seen_adapter(zero, **more):
    torch.manual_seed(0)
    return observe(Adapter(zero), mse_loss, torch.randn(20, 6), torch.randn(20, 4), **more)


def test_two_zero_factors_are_an_error_that_lasts():
    (found,) = no_gradient.detect(seen_adapter("AB"))
    assert (found.kind, found.level, found.permanent) == ("no_gradient", "error", True)
    assert found.where == "A.weight"
    assert "A.weight and B.weight are both zero" in found.evidence
    assert "get_parameter('A.weight')" in found.call


def test_one_zero_factor_is_a_note():
    (found,) = no_gradient.detect(seen_adapter("B"))
    assert (found.level, found.permanent, found.where) == ("note", False, "A.weight")


def test_no_zero_factor_is_nothing():
    assert not list(no_gradient.detect(seen_adapter("")))


def test_the_remedy_of_two_zero_factors_helps():
    module = Adapter("AB")
    seen = observe(module, mse_loss, torch.randn(20, 6), torch.randn(20, 4))
    (found,) = no_gradient.detect(seen)
    exec(found.call, {"torch": torch, "module": module})
    again = observe(module, mse_loss, torch.randn(20, 6), torch.randn(20, 4))
    assert [f.level for f in no_gradient.detect(again)] == ["note"]


def test_a_chain_of_zero_layers_that_wakes_and_one_that_does_not():
    torch.manual_seed(1)
    X, y = torch.randn(20, 3), torch.randn(20, 2)
    module = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    nn.init.zeros_(module[2].weight)
    assert [f.level for f in no_gradient.detect(observe(module, mse_loss, X, y))] == ["note"]
    nn.init.zeros_(module[0].weight)
    nn.init.zeros_(module[0].bias)
    found = next(no_gradient.detect(observe(module, mse_loss, X, y)))
    assert (found.level, found.permanent) == ("error", True)


def test_a_layer_behind_dead_relus_is_blocked_for_ever():
    torch.manual_seed(2)
    module = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    nn.init.constant_(module[0].bias, -100.0)
    seen = observe(module, mse_loss, torch.randn(20, 3), torch.randn(20, 2))
    (found,) = no_gradient.detect(seen)
    assert (found.level, found.permanent, found.where) == ("error", True, "0.weight")
    assert "3 parameters" in found.evidence


def test_the_probe_leaves_the_module_as_it_was():
    seen = seen_adapter("AB")
    before = {name: value.clone() for name, value in seen.module.state_dict().items()}
    stream = torch.get_rng_state()
    grads = {name: p.grad for name, p in seen.module.named_parameters()}
    list(no_gradient.detect(seen))
    assert all(torch.equal(before[k], v) for k, v in seen.module.state_dict().items())
    assert torch.equal(torch.get_rng_state(), stream)
    assert all(grads[name] is p.grad for name, p in seen.module.named_parameters())


def test_without_a_batch_it_is_a_warning_of_unknown_length():
    parameters = [
        SeenParameter(name, torch.zeros(3, 3), torch.zeros(3, 3), "linear weight")
        for name in ("one.a", "one.b")
    ]
    (found,) = no_gradient.detect(of_parameters(*parameters))
    assert (found.level, found.permanent) == ("warning", None)


def test_a_detached_parameter_is_an_error_and_a_frozen_one_nothing():
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale, self.base = nn.Parameter(torch.ones(3)), nn.Parameter(torch.ones(3), False)
            self.head = nn.Linear(3, 2)

        def forward(self, x):
            return self.head(x * self.scale.detach() * self.base)

    torch.manual_seed(3)
    seen = observe(Scaled(), mse_loss, torch.randn(8, 3), torch.randn(8, 2))
    (found,) = no_gradient.detect(seen)
    assert (found.level, found.where, found.permanent) == ("error", "scale", True)


def test_where_nothing_can_be_computed_again_no_gradient_is_a_warning():
    (found,) = no_gradient.detect(
        of_parameters(SeenParameter("scale", torch.ones(3), None, "register"))
    )
    assert (found.level, found.where, found.permanent) == ("warning", "scale", None)
    assert "cannot be told" in found.evidence


def test_unused_parameters():
    unused = SeenParameter("spare.weight", torch.ones(2, 2), None, "unused")
    frozen = SeenParameter("old.weight", torch.ones(2, 2), None, "unused", trained=False)
    used = SeenParameter("w", torch.ones(2, 2), torch.ones(2, 2), "linear weight")
    seen = of_parameters(unused, frozen, used)
    (found,) = no_gradient.detect_unused(seen)
    assert (found.kind, found.level, found.where) == ("unused_parameter", "warning", "spare.weight")
    assert not list(no_gradient.detect(seen))


def sgd(lr):
    return lambda parameters: torch.optim.SGD(parameters, lr=lr)


def short(value, grad, dtype):
    value, grad = torch.tensor(value, dtype=dtype), torch.tensor(grad, dtype=dtype)
    return SeenParameter("w", value, grad, "linear weight")


@pytest.mark.parametrize(("dtype", "half"), [(torch.bfloat16, 2.0**-8), (torch.float16, 2.0**-11)])
def test_updates_are_lost_just_below_half_a_unit_in_the_last_place(dtype, half):
    """1 + u for u > 0 rounds to 1 up to and including half of eps (ties to even)."""
    parameter = short([1.0] * 4, [-1.0] * 4, dtype)
    (found,) = lost_updates.detect(of_parameters(parameter, optimizers={"SGD": sgd(half * 0.99)}))
    assert (found.kind, found.level, found.where) == ("lost_updates", "warning", "w")
    assert "100%" in found.evidence
    assert not list(
        lost_updates.detect(of_parameters(parameter, optimizers={"SGD": sgd(half * 1.01)}))
    )


def test_the_share_of_lost_updates_sets_the_level():
    values = [1.0] * 10
    for kept, level in ((9, "note"), (5, "warning")):
        grads = [-1.0] * kept + [-1e-3] * (10 - kept)
        parameter = short(values, grads, torch.bfloat16)
        (found,) = lost_updates.detect(of_parameters(parameter, optimizers={"SGD": sgd(0.1)}))
        assert found.level == level


def test_entries_without_a_gradient_are_not_lost_updates():
    parameter = short([1.0, 1.0], [0.0, -1.0], torch.bfloat16)
    assert not list(lost_updates.detect(of_parameters(parameter, optimizers={"SGD": sgd(0.1)})))


def test_norm_weights_of_one_do_not_move_under_adamw():
    """Adam's first step is the rate, 1e-3, below 2^-9, half a unit in the last place under 1."""
    norm = SeenParameter("norm.weight", torch.ones(8).bfloat16(), torch.ones(8).bfloat16(), "norm")
    (found,) = lost_updates.detect(of_parameters(norm, optimizers={"AdamW": torch.optim.AdamW}))
    assert found.level == "warning"


def test_float32_loses_nothing_worth_a_word():
    parameter = SeenParameter("w", torch.ones(4), torch.full((4,), 1e-30), "linear weight")
    assert not list(lost_updates.detect(of_parameters(parameter, optimizers={"SGD": sgd(1.0)})))


def test_one_detach_is_one_finding_at_the_parameter_before_it():
    class Cut(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b, self.out = nn.Linear(4, 6), nn.Linear(6, 6), nn.Linear(6, 2)

        def forward(self, x):
            return self.out(torch.tanh(self.b(torch.tanh(self.a(x)))).detach())

    module = Cut()
    (found,) = no_gradient.detect(observe(module, mse_loss, torch.randn(8, 4), torch.randn(8, 2)))
    assert (found.level, found.where, found.permanent) == ("error", "b.bias", True)
    assert found.evidence == (
        "it and 3 parameters before it were used, and autograd gave them no gradient: a.weight, "
        "a.bias, b.weight, b.bias"
    )
