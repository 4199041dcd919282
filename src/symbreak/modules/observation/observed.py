"""What was seen inside a module while it computed J and its gradient on one batch.

Conventions
-----------
unit : what the layer has many of and could exchange: a feature, a channel, a head, an expert.
activations : (units, samples), z of the layer (weighted sum, before any nonlinearity), or what a
    head, a recurrent unit or an expert gives out. A sample is one number of a unit: examples,
    positions in space and time, and the entries of a head or an expert, all along one axis.
deltas : (units, samples), dJ/d(activations), zero where no gradient arrives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer

from symbreak.modules.anatomy.role import Role
from symbreak.modules.anatomy.roles import of_habit
from symbreak.modules.anatomy.targets import roles_in
from symbreak.modules.observation.reruns import Reruns

LINEAR = "linear features"
CONV = "conv channels"
HEADS = "attention heads"
RECURRENT = "recurrent units"
EMBEDDING = "embedding rows"
DIMENSIONS = "embedding dimensions"
REGISTER = "register rows"
EXPERTS = "experts"
KINDS = (LINEAR, CONV, HEADS, RECURRENT, EMBEDDING, DIMENSIONS, REGISTER, EXPERTS)

MakeOptimizer = Callable[[Iterable[nn.Parameter]], Optimizer]


@dataclass(frozen=True, eq=False)
class Site:
    """The units of one place in the module.

    Parameters
    ----------
    name : of the module that holds the units, or of the parameter where it stands for itself.
    kind : one of `KINDS`.
    activations, deltas : (units, samples), in the dtype and on the device of the module.
    parameters : names of the parameters used there.
    """

    name: str
    kind: str
    activations: Tensor
    deltas: Tensor
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class NonlinearCall:
    """One elementwise nonlinear function on the units of one place, called by a part's forward.

    Parameters
    ----------
    name : of the module within which it was called ("" is the whole module).
    function : "relu", "tanh", "sigmoid", "gelu", ...
    before, after : (units, samples), its argument and value.
    site : name of the site that made the argument, directly or through norms and dropout; "" if
        it is not known.
    read : whether a parameter was applied to what came of it; a margin of a loss is read by none.
    """

    name: str
    function: str
    before: Tensor
    after: Tensor
    site: str = ""
    read: bool = True


@dataclass(frozen=True, eq=False)
class SeenParameter:
    """One parameter of the module.

    Parameters
    ----------
    name : its (first) qualified name.
    value : as it was before the pass.
    grad : dJ/dvalue, dense, or None where autograd gave none (unused, detached, frozen).
    role : "linear weight", "linear bias", "conv weight", "conv bias", "recurrent", "embedding",
        "norm", "product" (an operand of a matrix product), "register" (used directly), "unused".
    trained : whether it asks for a gradient.
    functions : names of the functions that took it, in the order of their first calls.
    reading : what it is for the first function that multiplied with it; None where none did, or
        none that tells.
    """

    name: str
    value: Tensor
    grad: Tensor | None
    role: str
    trained: bool = True
    functions: tuple[str, ...] = ()
    reading: Role | None = None


@dataclass(frozen=True, eq=False)
class Observed:
    """All that detectors may look at.

    Parameters
    ----------
    module : a copy of the user's, in its mode, with its parameters as they were found; a detector
        may read it and must not change it.
    loss_value : J on the batch.
    sites, parameters, calls : in the order of first use; parameters in the order of the module.
    perturbed : the same sites on perturbed inputs, by "kind: name"; empty if it refuses them.
    unperturbed : what could not be perturbed for them: "inputs", "derivatives".
    output : what the module returned at its last call (detached), None if it was never called.
    targets : y of batch=(X, y); None where a step was given.
    loss : the callable of loss=; None where a step was given.
    step, batch : J is step(module, batch).
    breakers : names of active stochastic parts, such as dropout; they were switched off here.
    optimizers : by name, factories of the optimisers over given parameters that will train it.
    """

    module: nn.Module
    loss_value: float
    sites: tuple[Site, ...]
    parameters: tuple[SeenParameter, ...]
    calls: tuple[NonlinearCall, ...] = ()
    perturbed: dict[str, Site] = field(default_factory=dict)
    unperturbed: frozenset[str] = frozenset()
    output: Any = None
    targets: Any = None
    loss: Callable[[Any, Any], Any] | None = None
    step: Callable[[nn.Module, Any], Any] | None = None
    batch: Any = None
    breakers: tuple[str, ...] = ()
    optimizers: Mapping[str, MakeOptimizer] = field(default_factory=dict)

    @cached_property
    def reruns(self) -> Reruns:
        """Passes on copies of the module, shared by all detectors."""
        assert self.step is not None
        return Reruns(self.module, self.step, self.batch)

    @cached_property
    def _roles(self) -> dict[str, Role]:
        return roles_in(self.module)

    def role_of(self, parameter: SeenParameter) -> Role | None:
        """Return what a parameter is, if it is a weight.

        The role that was registered, or that of the layer of `torch.nn`; else what the first
        function that multiplied with it made of it; else what is the habit of such functions.
        """
        known = self._roles.get(parameter.name) or parameter.reading
        return known or of_habit(parameter.role, parameter.value.dim())

    def weight_of(self, where: str) -> SeenParameter | None:
        """Return the parameter of that name, or the weight of the layer of that name."""
        names = where, f"{where}.weight" if where else "weight"
        return next((p for p in self.parameters if p.name in names), None)

    def axis_of(self, where: str, kind: str = LINEAR) -> int | None:
        """Return the axis of `weight_of(where)` along which the units of a site lie, if it is told.

        Parameters
        ----------
        kind : of the site.
        """
        parameter = self.weight_of(where)
        if parameter is None:
            return None
        if kind == REGISTER:
            return leading_axis(parameter.value)
        if kind == DIMENSIONS:
            return parameter.value.dim() - 1
        word = "stack" if kind == EXPERTS else "out"
        axes = () if parameter.reading is None else parameter.reading.axes
        return axes.index(word) if word in axes else None


def leading_axis(table: Tensor) -> int:
    """Return the axis whose entries are the rows of a table: the first of more than one entry."""
    return next((k for k, size in enumerate(table.shape) if size > 1), 0)
