"""Observe a copy of a module on a batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from symbreak.modules.containers import mapped_tensors
from symbreak.modules.cost.call import Step
from symbreak.modules.cost.data import as_floating
from symbreak.modules.cost.parameters import copied
from symbreak.modules.hooks import has_scripted_parts, hooked
from symbreak.modules.observation.expert_lists import ExpertLists
from symbreak.modules.observation.isolation import own_randomness, plain_calls, preserved
from symbreak.modules.observation.observed import (
    EMBEDDING,
    REGISTER,
    MakeOptimizer,
    Observed,
    SeenParameter,
    Site,
    leading_axis,
)
from symbreak.modules.observation.perturbed import (
    DERIVATIVES,
    INPUTS,
    PerturbedBatchRecorder,
    PerturbedCastsRecorder,
    PerturbedRecorder,
)
from symbreak.modules.observation.recorder import Recorder
from symbreak.modules.observation.reruns import called_step

_W = TypeVar("_W", bound=Recorder)


def observe(
    module: nn.Module,
    step: Step,
    batch: Any,
    *,
    loss: Callable[[Any, Any], Any] | None = None,
    targets: Any = None,
    optimizers: Mapping[str, MakeOptimizer] | None = None,
) -> Observed:
    """Return what a copy of the module does on the batch; the module itself is not touched.

    Raises
    ------
    InvalidInput, InvalidType
        The step fails, or returns no scalar that can be differentiated.
    """
    own = copied(module)
    recorder, J, output, sites = _recorded(own, step, batch, Recorder)
    parameters = _parameters(own, recorder)  # before another pass has other gradients
    perturbed = perturbed_sites(*refined(own, batch), step)
    if not perturbed.sites:  # a module that casts to its own dtype refuses a finer one
        perturbed = perturbed_sites(own, batch, step)
    return Observed(
        module=own,
        loss_value=float(J),
        sites=sites,
        parameters=parameters,
        calls=recorder.calls,
        perturbed={f"{s.kind}: {s.name}": s for s in perturbed.sites},
        unperturbed=perturbed.missing,
        output=output,
        targets=targets,
        loss=loss,
        step=step,
        batch=batch,
        breakers=tuple(recorder.breakers),
        optimizers=optimizers or {},
    )


@dataclass(frozen=True)
class Perturbed:
    """The sites on perturbed inputs, and what could not be perturbed: inputs, derivatives."""

    sites: tuple[Site, ...] = ()
    missing: frozenset[str] = frozenset({INPUTS, DERIVATIVES})


def perturbed_sites(module: nn.Module, batch: Any, step: Step) -> Perturbed:
    """Return the sites on perturbed inputs; none if the module refuses them."""
    perturbed = _perturbed(module, batch, step, PerturbedRecorder)
    for kind in (PerturbedCastsRecorder, PerturbedBatchRecorder):
        if INPUTS in perturbed.missing:
            other = _perturbed(module, batch, step, kind)
            perturbed = perturbed if INPUTS in other.missing else other
    return perturbed


def _perturbed(
    module: nn.Module, batch: Any, step: Step, kind: type[PerturbedRecorder]
) -> Perturbed:
    try:
        recorder, J, _, sites = _recorded(module, step, batch, kind)
    except Exception:  # whatever the user's code raises on inputs that it did not expect
        return Perturbed()
    finally:
        _drop_gradients(module)
    return Perturbed(sites, frozenset(recorder.missing)) if bool(torch.isfinite(J)) else Perturbed()


def refined(module: nn.Module, batch: Any) -> tuple[nn.Module, Any]:
    """Return a copy in float32 and its batch, for a module in less; else both as they are."""
    dtype = floating_dtype(module)
    if torch.finfo(dtype).bits >= 32 or has_scripted_parts(module):
        return module, batch
    return copied(module).to(torch.float32), as_floating(batch, torch.float32)


def floating_dtype(module: nn.Module) -> torch.dtype:
    """Return the dtype of the first floating parameter."""
    return next((p.dtype for p in module.parameters() if p.is_floating_point()), torch.float32)


def _recorded(
    module: nn.Module, step: Step, batch: Any, kind: type[_W]
) -> tuple[_W, Tensor, Any, tuple[Site, ...]]:
    recorder, expert_lists = kind(module), ExpertLists(module)
    outputs: list[Any] = []
    trained = [p for p in module.parameters() if p.requires_grad]

    def returned(_part: nn.Module, _args: Any, output: Any) -> None:
        outputs[:] = [mapped_tensors(output, lambda t: t.detach().clone())]

    with ExitStack() as stack:
        stack.enter_context(own_randomness())
        stack.enter_context(plain_calls())
        stack.enter_context(preserved(module))
        stack.enter_context(hooked([module.register_forward_hook(returned)]))
        with hooked(recorder.hooks()), hooked(expert_lists.hooks()), recorder:
            J = called_step(module, step, recorder.received(batch))
        recorder.before_backward(J)
        torch.autograd.backward(J, inputs=trained)
    sites = (*recorder.records.sites(), *expert_lists.sites(), *_rows(module, recorder))
    return recorder, J.detach(), outputs[0] if outputs else None, sites


def _rows(module: nn.Module, recorder: Recorder) -> list[Site]:
    """Return the rows of embeddings, and those of parameters that are used directly."""
    sites = []
    for name, p in module.named_parameters():
        role = recorder.names.role(name, p)
        if role not in ("embedding", "register"):
            continue
        rows = p.detach()
        shape = (rows.shape[leading_axis(rows)] if rows.dim() else 1, -1)
        rows = rows.reshape(shape)
        if rows.shape[1] < 2:
            continue
        deltas = torch.zeros_like(rows) if p.grad is None else _dense(p.grad).reshape(shape)
        kind = EMBEDDING if role == "embedding" else REGISTER
        sites.append(
            Site(name.removesuffix(".weight"), kind, rows.clone(), deltas.clone(), (name,))
        )
    return sites


def _parameters(module: nn.Module, recorder: Recorder) -> tuple[SeenParameter, ...]:
    seen = tuple(
        SeenParameter(
            name,
            p.detach(),
            None if p.grad is None else _dense(p.grad),
            recorder.names.role(name, p),
            p.requires_grad,
            tuple(recorder.names.functions[name]),
            recorder.readings.get(name),
        )
        for name, p in module.named_parameters()
    )
    _drop_gradients(module)
    return seen


def _drop_gradients(module: nn.Module) -> None:
    for p in module.parameters():
        p.grad = None


def _dense(gradient: Tensor) -> Tensor:
    return gradient.to_dense() if gradient.is_sparse else gradient.detach()
