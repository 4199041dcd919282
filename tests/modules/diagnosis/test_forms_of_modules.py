"""`diagnose` on modules as other packages make them: containers, steps, transforms, checkpoints."""

import copy
import dataclasses
from collections import UserDict
from functools import partial
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.checkpoint import checkpoint

import symbreak as sb
from tests.modules.cost.containers import Forbidding, Graph


def data(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


X = data(32, 5)
Y = torch.arange(32) % 4  # of ten classes
REENTRANT = torch.utils.checkpoint.CheckpointFunction
TWINS = ("identical_units", "mirrored_units")


class Net(nn.Module):
    """A zero head, or units 0 and 1 of the hidden layer that are one."""

    def __init__(self, *, twins):
        super().__init__()
        torch.manual_seed(0)
        self.a, self.b = nn.Linear(5, 8), nn.Linear(8, 10)
        with torch.no_grad():
            if twins:
                for parameter in (self.a.weight, self.a.bias):
                    parameter[1] = parameter[0]
                self.b.weight[:, 1] = self.b.weight[:, 0]
            else:
                self.b.weight.zero_()
                self.b.bias.zero_()

    def logits(self, x):
        return self.b(torch.tanh(self.a(x)))

    def forward(self, x):
        return self.logits(x)

    def training_step(self, x, y):
        return F.cross_entropy(self.b(torch.tanh(self.a(x))), y)


def written(logits, y):
    """Return the cross-entropy, by no function of that name."""
    return -(F.one_hot(y, 10) * logits.log_softmax(-1)).sum(1).mean()


@dataclasses.dataclass(frozen=True)
class Output:
    logits: torch.Tensor


class Closed:
    """An output whose tensor nobody can find."""

    __slots__ = ("get",)

    def __init__(self, tensor):
        self.get = lambda: tensor


class Wrapping(Net):
    wrap = staticmethod(lambda logits: logits)

    def forward(self, x):
        return self.wrap(self.logits(x))


class Mapped(Wrapping):
    wrap = staticmethod(lambda logits: Forbidding(logits=logits, hidden=None))


class Dataclass(Wrapping):
    wrap = Output


class Opaque(Wrapping):
    wrap = Closed


class Graphs(Wrapping):
    def forward(self, graph):
        return Graph(logits=self.logits(graph.x))


class Losing(nn.Module):
    """Gives out nothing but the loss."""

    def __init__(self, loss, *, twins):
        super().__init__()
        self.net, self.loss = Net(twins=twins), loss

    def forward(self, x, y):
        h = torch.tanh(F.linear(x, self.net.a.weight, self.net.a.bias))
        return self.loss(F.linear(h, self.net.b.weight, self.net.b.bias), y)


def picked(logits, y):
    """Return the cross-entropy, by the entries of the classes."""
    return -logits.log_softmax(-1)[torch.arange(len(y)), y].mean()


class Bare(Net):
    """Whose step uses parameters by itself, and calls no part."""

    def training_step(self, x, y):
        h = torch.tanh(x @ self.a.weight.T + self.a.bias)
        return written(h @ self.b.weight.T + self.b.bias, y)


class Images(Net):
    def forward(self, x):
        return self.logits(x.float() / 255)


FORMS: dict[str, tuple[Any, Any]] = {
    "tensor": (Net, lambda m, b: F.cross_entropy(m(b[0]), b[1])),
    "loss of one's own": (Net, lambda m, b: written(m(b[0]), b[1])),
    "forbidding mapping": (Mapped, lambda m, b: written(m(b[0])["logits"], b[1])),
    "dataclass": (Dataclass, lambda m, b: written(m(b[0]).logits, b[1])),
    "graph": (Graphs, lambda m, b: written(m(Graph(x=b[0])).logits, b[1])),
    "unknown object": (Opaque, lambda m, b: written(m(b[0]).get(), b[1])),
    "training step": (Net, lambda m, b: m.training_step(*b)),
    "parts": (Net, lambda m, b: written(m.b(torch.tanh(m.a(b[0]))), b[1])),
    "loss within": (partial(Losing, F.cross_entropy), lambda m, b: m(*b)),
    "loss of one's own within": (partial(Losing, written), lambda m, b: m(*b)),
    "picked entries within": (partial(Losing, picked), lambda m, b: m(*b)),
    "no part called": (Bare, lambda m, b: m.training_step(*b)),
    "penalty": (Net, lambda m, b: F.cross_entropy(m(b[0]), b[1])
                + sum(p.square().sum() for p in m.parameters()) / 100),
}  # fmt: skip


def twins_of(found):
    return [(f.where, f.units, f.level) for f in found.findings if f.kind in TWINS]


@pytest.mark.parametrize("form", FORMS)
def test_what_agrees_by_chance_is_no_error_and_what_is_one_unit_is(form):
    kind, step = FORMS[form]
    assert twins_of(sb.diagnose(kind(twins=False), step=step, batch=(X, Y))) == []
    found = sb.diagnose(kind(twins=True), step=step, batch=(X, Y))
    ((where, units, level),) = twins_of(found)
    assert (where.removeprefix("net.").removesuffix(".weight"), units, level) == (
        "a",
        (0, 1),
        "error",
    )
    assert "on perturbed inputs" in found.findings[0].evidence


def test_integers_that_come_in_are_perturbed_where_they_are_cast():
    pixels = torch.randint(0, 256, (32, 5), generator=torch.Generator().manual_seed(0))
    pixels[:, 4] = 0  # units that differ in what reads it alone agree by chance
    chance = Images(twins=True)
    with torch.no_grad():
        chance.a.weight[1, 4] += 1.0
    assert twins_of(sb.diagnose(chance, F.cross_entropy, (pixels, Y))) == []
    found = sb.diagnose(Images(twins=True), F.cross_entropy, (pixels, Y))
    assert twins_of(found) == [("a", (0, 1), "error")]


class Refusing(Net):
    """Takes no numbers but those of the batch."""

    def forward(self, x):
        if not torch.equal(x, X.to(x.dtype)):
            raise ValueError("other numbers")
        return self.logits(x)


def test_what_could_not_be_perturbed_is_told_and_is_no_error():
    found = sb.diagnose(Refusing(twins=True), F.cross_entropy, (X, Y))
    (twins,) = [f for f in found.findings if f.kind in TWINS]
    assert (twins.level, twins.permanent) == ("warning", None)
    assert "derivatives and inputs could not be perturbed" in twins.evidence
    assert "on perturbed inputs" not in twins.evidence


def test_inputs_come_in_the_containers_of_the_user():
    class Named(Net):
        def forward(self, x, flag=None, scale=1.0):
            assert flag is True
            return self.logits(x) * scale

    model = Named(twins=True)
    for given in ({"x": X, "flag": True}, UserDict(x=X, flag=True), Forbidding(x=X, flag=True)):
        found = sb.diagnose(model, F.cross_entropy, (given, Y))
        assert twins_of(found) == [("a", (0, 1), "error")]
    found = sb.diagnose(Graphs(twins=True), lambda o, y: written(o.logits, y), (Graph(x=X), Y))
    assert twins_of(found) == [("a", (0, 1), "error")]


class Numbers(Net):
    """Parameters without axes: one used, one unused, one frozen, one a slope."""

    def __init__(self, *, twins):
        super().__init__(twins=twins)
        self.temperature = nn.Parameter(torch.tensor(0.5))
        self.unused = nn.Parameter(torch.tensor(2.0))
        self.frozen = nn.Parameter(torch.tensor(3.0), requires_grad=False)
        self.register_buffer("offset", torch.tensor(0.1))

    def forward(self, x):
        return self.temperature.exp() * self.logits(x * self.frozen) + self.offset


def test_parameters_without_axes_in_all_that_looks_at_a_module():
    model = Numbers(twins=True)
    found = sb.diagnose(model, F.cross_entropy, (X, Y))
    assert twins_of(found) == [("a", (0, 1), "error")]
    with pytest.raises(AssertionError):
        sb.assert_sound_start(model, F.cross_entropy, (X, Y))
    sb.scan_weights(model.state_dict())
    repaired = copy.deepcopy(model)
    sb.repair(repaired, found)
    assert repaired.temperature.item() == 0.5
    sb.initialize_module(model)
    assert twins_of(sb.diagnose(model, F.cross_entropy, (X, Y))) == []


class Gates(Net):
    """Two factors without axes, both zero."""

    def __init__(self):
        super().__init__(twins=False)
        nn.init.normal_(self.b.weight)
        self.one, self.other = (nn.Parameter(torch.tensor(0.0)) for _ in range(2))

    def forward(self, x):
        return self.one * self.other * self.logits(x)


def test_a_number_that_must_be_drawn_is_drawn():
    model = Gates()
    found = sb.diagnose(model, F.cross_entropy, (X, Y))
    assert ("no_gradient", "one", "error") in [(f.kind, f.where, f.level) for f in found.findings]
    repair = sb.repair(model, found)
    assert repair.after.ok
    assert model.one.item() != 0
    assert model.other.item() == 0


class Checkpointed(Net):
    """With dropout in what is called again in the backward pass."""

    reentrant, whole = False, False

    def body(self, h):
        return F.dropout(torch.tanh(h), 0.3, self.training)

    def forward(self, x):
        if self.whole:
            inner = checkpoint(lambda x: self.body(self.a(x)), x, use_reentrant=self.reentrant)
        else:
            inner = checkpoint(self.body, self.a(x), use_reentrant=self.reentrant)
        return self.b(inner)


class Uncheckpointed(Checkpointed):
    def forward(self, x):
        return self.b(self.body(self.a(x)))


@pytest.mark.parametrize("reentrant", [False, True])
@pytest.mark.parametrize("twins", [False, True])
def test_checkpointing_changes_nothing(reentrant, twins):
    model, plain = Checkpointed(twins=twins), Uncheckpointed(twins=twins)
    model.reentrant = reentrant
    found = sb.diagnose(model, F.cross_entropy, (X, Y))
    expected = sb.diagnose(plain, F.cross_entropy, (X, Y))
    assert found.to_dict() == expected.to_dict()
    assert [f.level for f in found.findings if f.kind in TWINS] == ["warning"] * twins
    assert torch.utils.checkpoint.CheckpointFunction is REENTRANT


def test_a_reentrant_checkpoint_of_the_batch_itself_cuts_off_what_it_holds():
    model = Checkpointed(twins=True)
    model.reentrant, model.whole = True, True
    found = sb.diagnose(model.eval(), F.cross_entropy, (X, Y))
    cut = [f for f in found.findings if f.kind == "no_gradient"]
    assert [(f.level, f.where.split(".")[0]) for f in cut] == [("error", "a")]


class Ensemble(nn.Module):
    """Members that are called at once, by a transform."""

    def __init__(self, *, alike):
        super().__init__()
        torch.manual_seed(0)
        members = [nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 10)) for _ in range(3)]
        if alike:
            members = [members[0]] * 3
        stacked, _ = torch.func.stack_module_state(members)
        self.weights = nn.ParameterDict(
            {name.replace(".", "_"): nn.Parameter(w.detach()) for name, w in stacked.items()}
        )
        self.form = [members[0]]

    def forward(self, x):
        named = {name.replace("_", "."): w for name, w in self.weights.items()}
        call = lambda w, x: torch.func.functional_call(self.form[0], w, (x,))  # noqa: E731
        return torch.func.vmap(call, (0, None))(named, x).mean(0)


@pytest.mark.parametrize("alike", [False, True])
def test_an_ensemble_called_by_vmap(alike):
    found = sb.diagnose(Ensemble(alike=alike), F.cross_entropy, (X, Y))
    assert found.ok == (not alike)
    assert [f for f in found.findings if f.kind == "unused_parameter"] == []
    if alike:
        assert {u for _, u, level in twins_of(found) if level == "error"} == {(0, 1, 2)}


class Pointwise(nn.Module):
    """Derivatives by the input, of every example by itself."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.experts = nn.ModuleList([nn.Linear(1, 8) for _ in range(2)])
        self.out = nn.Linear(8, 1)

    def value(self, x):
        return self.out(sum(torch.tanh(expert(x[None])) for expert in self.experts))[0]

    def forward(self, x):
        return torch.func.vmap(torch.func.grad(self.value))(x)


def test_transforms_that_differentiate():
    found = sb.diagnose(Pointwise(), F.mse_loss, (data(32), data(32, seed=2)))
    assert {f.where for f in found.findings if f.level != "note"} <= {"out.bias", ""}


def scripted(inner, how):
    return torch.jit.script(inner) if how == "script" else torch.jit.trace(inner, X)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("how", ["script", "trace"])
def test_parts_that_cannot_be_seen_are_judged_by_their_parameters(how):
    def made(*, twins):
        net = Net(twins=twins)
        if not twins:
            nn.init.normal_(net.b.weight)
        return nn.Sequential(scripted(nn.Sequential(net.a, nn.Tanh()), how), net.b)

    sound = sb.diagnose(made(twins=False), F.cross_entropy, (X, Y))
    assert sound.ok
    assert [f for f in sound.findings if f.kind == "unused_parameter"] == []
    model = made(twins=True)
    found = sb.diagnose(model, F.cross_entropy, (X, Y))
    assert twins_of(found) == [("0.0", (0, 1), "error")]
    assert sb.repair(model, found).after.ok
    with pytest.raises(sb.InvalidInput, match="Pass the module that it was made of"):
        sb.diagnose(scripted(Net(twins=True), how), F.cross_entropy, (X, Y))


class Short(Net):
    """Has no form in float64."""

    def forward(self, x):
        if x.dtype == torch.float64:
            raise NotImplementedError("not implemented for 'Double'")
        return self.logits(x)


def test_a_module_without_float64_is_updated_in_its_own_dtype():
    found = sb.diagnose(Short(twins=True), F.cross_entropy, (X, Y))
    assert twins_of(found) == [("a", (0, 1), "error")]


class Casting(Net):
    def forward(self, x):
        return self.logits(x.to(torch.bfloat16)).float()


def test_a_module_that_casts_to_its_short_dtype_is_perturbed_in_it():
    found = sb.diagnose(Casting(twins=True).to(torch.bfloat16), F.cross_entropy, (X, Y))
    assert twins_of(found) == [("a", (0, 1), "error")]


def test_the_default_device_without_memory_does_not_matter():
    class Adding(Net):
        def forward(self, x):
            return self.logits(x) + torch.zeros(10)

    model = Adding(twins=True)
    expected = sb.diagnose(model, F.cross_entropy, (X, Y)).to_dict()
    with torch.device("meta"):
        found = sb.diagnose(model, F.cross_entropy, (X, Y))
        repaired = sb.repair(copy.deepcopy(model), found)
        sb.initialize_module(model)
        sb.scan_weights(model.state_dict())
    assert found.to_dict() == expected
    assert repaired.after.ok
    assert sb.diagnose(model, F.cross_entropy, (X, Y)).ok
