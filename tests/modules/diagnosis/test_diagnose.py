"""The surface: what comes back, what is refused, and that no trace stays."""

import json
import random
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import symbreak as sb
from tests.modules.diagnosis import starts
from tests.modules.diagnosis.starts import data, twin_

X, Y = data(16, 4), data(16, 2, seed=2)


def planted():
    module = starts.mlp()
    twin_(module[0], module[2])
    return module


def test_result_is_sorted_plain_and_raises():
    result = sb.diagnose(planted(), F.mse_loss, (X, Y))
    assert not result.ok
    assert result.findings[0].level == "error"
    assert json.loads(json.dumps(result.to_dict()))["findings"][0]["units"] == [0, 1]
    assert "identical_units" in str(result)
    with pytest.raises(sb.InvalidInput, match="identical_units"):
        result.raise_on_failure()


def test_assert_sound_start():
    sb.assert_sound_start(starts.mlp(), F.mse_loss, (X, Y))
    with pytest.raises(AssertionError, match="identical_units"):
        sb.assert_sound_start(planted(), F.mse_loss, (X, Y))


def test_step_and_numpy_give_the_same():
    def step(module, batch):
        return F.mse_loss(module(batch["x"]), batch["y"])

    by_step = sb.diagnose(planted(), step=step, batch={"x": X, "y": Y})
    by_loss = sb.diagnose(planted(), F.mse_loss, (X.numpy(), Y.numpy()))
    assert by_step.findings[0] == by_loss.findings[0]


class Busy(nn.Module):
    """Everything that could keep a trace: dropout, running statistics, hooks, gradients."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.net = nn.Sequential(
            nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(inplace=True), nn.Dropout(), nn.Linear(8, 2)
        )
        self.kept = None

    def forward(self, x):
        np.random.rand()  # noqa: NPY002
        random.random()
        self.kept = self.net(x + torch.rand_like(x))
        return self.kept


def _numpy_state():
    state: Any = np.random.get_state()  # noqa: NPY002
    return state[1]


def test_no_trace_stays():
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002
    module: Any = Busy()
    module.net[0].weight.data[1] = module.net[0].weight.data[0]
    handle = module.net[1].register_forward_hook(lambda *_: None)
    F.mse_loss(module(X), Y).backward()
    module.net[3].eval()
    before = {k: v.clone() for k, v in module.state_dict().items()}
    grads = [p.grad.clone() for p in module.parameters()]
    kept, modes = module.kept, [m.training for m in module.modules()]
    hooks = [
        (len(m._forward_hooks), len(m._forward_pre_hooks), len(m._backward_hooks))
        for m in module.modules()
    ]
    given = X.clone()
    streams = torch.get_rng_state(), random.getstate(), _numpy_state().copy()
    with torch.no_grad():
        sb.diagnose(module, F.mse_loss, (given, Y))
    assert torch.equal(streams[0], torch.get_rng_state())
    assert streams[1] == random.getstate()
    assert np.array_equal(streams[2], _numpy_state())
    assert torch.equal(given, X)
    assert module.kept is kept
    assert all(torch.equal(v, before[k]) for k, v in module.state_dict().items())
    assert all(torch.equal(p.grad, g) for p, g in zip(module.parameters(), grads, strict=True))
    assert modes == [m.training for m in module.modules()]
    assert hooks == [
        (len(m._forward_hooks), len(m._forward_pre_hooks), len(m._backward_hooks))
        for m in module.modules()
    ]
    assert torch.backends.mha.get_fastpath_enabled()
    handle.remove()


def test_a_step_that_writes_into_its_batch_and_uses_another_module():
    teacher, given = starts.mlp(), X.clone()

    def step(module, batch):
        batch.mul_(2.0)
        return F.mse_loss(module(batch), teacher(batch))

    sb.diagnose(planted(), step=step, batch=given)
    assert torch.equal(given, X)
    assert all(p.grad is None for p in teacher.parameters())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"loss": F.mse_loss, "batch": (data(16, 5), Y)}, "must run on the batch"),
        ({"loss": lambda p, y: (p - y) ** 2, "batch": (X, Y)}, "must be one real number"),
        ({"loss": lambda p, y: 1.0, "batch": (X, Y)}, "must be a scalar tensor"),
        ({"loss": lambda p, y: (p - y).detach().sum(), "batch": (X, Y)}, "differentiably"),
        ({"loss": F.mse_loss, "batch": X}, "batch of diagnose must be a pair"),
        ({"loss": F.mse_loss, "batch": (X[:0], Y[:0])}, "at least one example. Got a tensor"),
        ({"step": lambda m, b: m(b["x"]).sum(), "batch": {"x": X[:0]}}, "at least one example"),
        ({"batch": (X, Y)}, "one of loss="),
        ({"loss": F.mse_loss, "batch": (X, Y), "optimizer": "sgd"}, "optimizer of diagnose"),
        ({"loss": F.mse_loss, "batch": (X, Y), "optimizer": lambda: 1}, "list of parameters"),
    ],
)
def test_bad_input_gets_one_sentence(arguments, words):
    with pytest.raises((sb.InvalidInput, TypeError), match=words):
        sb.diagnose(planted(), **arguments)


def test_no_module():
    with pytest.raises(TypeError, match=r"must be a torch.nn.Module"):
        sb.diagnose(lambda x: x, F.mse_loss, (X, Y))


def test_modules_without_shapes_or_memory_or_without_anything_to_train():
    with pytest.raises(sb.InvalidInput, match="must have memory"):
        sb.diagnose(nn.Linear(4, 2, device="meta"), F.mse_loss, (X, Y))
    with pytest.raises(sb.InvalidInput, match="must have a shape"):
        sb.diagnose(nn.LazyLinear(2), F.mse_loss, (X, Y))
    with pytest.raises(sb.InvalidInput, match="at least one parameter"):
        sb.diagnose(starts.mlp().requires_grad_(False), F.mse_loss, (X, Y))


def test_parameters_of_several_dtypes():
    module = planted()
    module[4] = module[4].double()

    def step(module, batch):
        h = module[:4](batch[0]).to(module[4].weight.dtype)
        return F.mse_loss(module[4](h), batch[1].to(h.dtype))

    (finding, *_) = sb.diagnose(module, step=step, batch=(X, Y)).findings
    assert (finding.kind, finding.where, finding.units) == ("identical_units", "0", (0, 1))


@pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")  # torch's own, of compile
def test_inference_mode_and_compiled_modules_are_seen_through():
    wanted = [f.to_dict() for f in sb.diagnose(planted(), F.mse_loss, (X, Y)).findings]
    with torch.inference_mode():
        found = sb.diagnose(planted(), F.mse_loss, (X, Y))
    assert [f.to_dict() for f in found.findings] == wanted
    compiled = sb.diagnose(torch.compile(planted()), F.mse_loss, (X, Y))
    assert [f.units for f in compiled.findings] == [tuple(f["units"]) for f in wanted]
