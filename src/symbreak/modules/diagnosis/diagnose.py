"""Diagnose the start of any module: observe a copy of it on a batch, and judge what was seen."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import nn

from symbreak.errors import InvalidInput
from symbreak.findings import Diagnosis, Finding
from symbreak.modules.anatomy.checks import check_is_module, check_memory, check_shapes
from symbreak.modules.containers import tensors_of
from symbreak.modules.cost.call import Step
from symbreak.modules.cost.data import LossStep, prepared_pair
from symbreak.modules.diagnosis.detectors import DETECTORS
from symbreak.modules.hooks import is_scripted
from symbreak.modules.observation.observe import floating_dtype, observe
from symbreak.modules.observation.updates import optimizers


@torch.inference_mode(False)
def diagnose(
    module: nn.Module,
    loss: Callable[[Any, Any], Any] | None = None,
    batch: Any = None,
    optimizer: Any = None,
    *,
    step: Step | None = None,
) -> Diagnosis:
    """Tell whether the start of a module is sound.

    Everything is done on a copy: parameters, gradients, buffers, hooks and mode of the module and
    the random streams stay as they are.

    Parameters
    ----------
    module : any module, with the parameters that training would start from, in the mode and on the
        device that training would use.
    loss : (output, y) -> scalar; goes with batch = (X, y). A tuple X is handed to the module as
        positional arguments, a mapping by name.
    batch : what training would see at once, in any containers. Some dozens of examples are enough.
    optimizer : its class, an optimizer, or a function that makes one of a list of parameters; a
        few updates of it decide whether equal units stay equal. None: both SGD with momentum and
        AdamW must keep them equal.
    step : (module, batch) -> scalar, in place of loss.

    Returns
    -------
    Diagnosis
        `findings`, errors first; `ok`, whether none is an error; `str()`; `to_dict()`.

    Raises
    ------
    InvalidInput, InvalidType
        The step fails or returns no scalar that can be differentiated, or the module cannot be
        copied.

    Examples
    --------
    >>> import torch
    >>> import symbreak as sb
    >>> module = torch.nn.Sequential(
    ...     torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1)
    ... )
    >>> for parameter in module.parameters():
    ...     _ = torch.nn.init.constant_(parameter, 0.1)
    >>> X, y = torch.randn(32, 4), torch.randn(32, 1)
    >>> found = sb.diagnose(module, torch.nn.functional.mse_loss, (X, y))
    >>> found.ok, found.findings[0].kind, found.findings[0].permanent
    (False, 'identical_units', True)
    """
    _check_module(module)
    if (loss is None) == (step is None):
        raise InvalidInput(
            "diagnose needs one of loss=, with batch=(X, y), and step=. Got "
            f"{'none' if loss is None else 'both'}."
        )
    again = partial(diagnose, loss=loss, batch=batch, optimizer=optimizer, step=step)
    targets = None
    if step is None:
        assert loss is not None
        device = next(module.parameters()).device
        batch = prepared_pair(batch, floating_dtype(module), device, "batch of diagnose")
        step, targets = LossStep(loss), batch[1]
    _check_batch(batch)
    makers = optimizers(optimizer)
    observed = observe(module, step, batch, loss=loss, targets=targets, optimizers=makers)
    findings: list[Finding] = []
    for detect in DETECTORS.values():
        findings.extend(detect(observed))
    return Diagnosis(tuple(findings), again)


def assert_sound_start(
    module: nn.Module,
    loss: Callable[[Any, Any], Any] | None = None,
    batch: Any = None,
    optimizer: Any = None,
    *,
    step: Step | None = None,
) -> None:
    """Raise AssertionError with the findings if one is an error; for tests of a model.

    The parameters are those of `diagnose`.
    """
    diagnosis = diagnose(module, loss, batch, optimizer, step=step)
    if not diagnosis.ok:
        raise AssertionError(f"The start must have no error. Got:\n{diagnosis}")


def _check_module(module: nn.Module) -> None:
    check_is_module(module)
    if is_scripted(module):
        raise InvalidInput(
            "module of diagnose must be in Python, so that its calls can be seen. Got a scripted "
            "or traced one. Pass the module that it was made of."
        )
    named = dict(module.named_parameters())
    check_shapes(named)
    check_memory(named)
    if not any(parameter.requires_grad for parameter in module.parameters()):
        raise InvalidInput(
            "module must have at least one parameter to train (requires_grad=True). Got none."
        )


def _check_batch(batch: Any) -> None:
    tensors = list(tensors_of(batch))
    empty = next((tensor for tensor in tensors if not tensor.numel()), None)
    if empty is not None and not any(tensor.numel() for tensor in tensors):
        raise InvalidInput(
            "batch of diagnose must hold at least one example. Got a tensor of shape "
            f"{tuple(empty.shape)}."
        )
