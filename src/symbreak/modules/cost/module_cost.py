"""J(theta) of any `torch.nn.Module`, and its gradient by autograd, for many starts at once.

Conventions
-----------
J = loss(module(X), y), or step(module, batch); one real number
theta : (starts, n) or (n,), the trained parameters one after the other, see `module_parameters`
J : (starts,) or ();  gradient : of the shape of theta
"""

from __future__ import annotations

import copy
import dataclasses
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from symbreak.arrays import as_dtype, as_tensor
from symbreak.checks import integer_or_none
from symbreak.errors import InvalidInput, InvalidType, SymbreakError
from symbreak.initialization import Rule
from symbreak.initialization.initialize import FLOATING
from symbreak.initialization.rules import resolve
from symbreak.initialization.streams import check_seed
from symbreak.modules.containers import mapped_tensors
from symbreak.modules.cost.call import ModuleCall, Step
from symbreak.modules.cost.data import (
    LossStep,
    as_floating,
    check_dtypes,
    count_examples,
    prepared_pair,
)
from symbreak.modules.cost.initialization import draw_into, warn_of_symmetry, weights_of
from symbreak.modules.cost.parameters import blocks_of_module, copied, flat, load_, padding_of
from symbreak.modules.cost.stacking import Stacking
from symbreak.objectives.blocking import DEFAULT_MEMORY
from symbreak.objectives.input_checks import check_indices
from symbreak.objectives.stacks import Stacked
from symbreak.parameters import Block, check_size

# Theta stands in the module while J is computed, and switches of PyTorch are those of the process.
_ONE_AT_A_TIME = threading.RLock()


@dataclass(frozen=True, eq=False)
class _Data:
    """What a cost is made of.

    Parameters
    ----------
    module : the copy that theta is written into, of `dtype`.
    call : `step` on that module and a batch.
    is_pair : whether the batch is (X, y).
    n_examples : of (X, y), if its tensors have one first axis.
    stacking : what is known of stacking this module in this dtype.
    """

    module: nn.Module
    dtype: torch.dtype
    step: Step
    call: ModuleCall
    is_pair: bool
    n_examples: int | None
    stacking: Stacking


class ModuleCost(Stacked):
    """The cost J(theta) of a module, for many starts at once.

    Parameters
    ----------
    module : any `torch.nn.Module`. It is copied, in the mode (train or eval) that it is in; only
        `load_into_module_` changes the module itself.
    loss : (output, y) -> a scalar tensor, a mean over the examples.
    data : (X, y). X is an array or tensor, a tuple of them (the arguments of the module) or a
        dictionary (its arguments by name). Copied; floating numbers take the dtype of the module,
        and all go to its device.
    step : in place of loss and data: (module, batch) -> a scalar tensor.
    batch : what `step` gets, anything.
    memory_budget : bytes that the graphs of the starts evaluated at once may take, 256 MiB by
        default; one start is evaluated in any case.

    Raises
    ------
    InvalidInput, InvalidType
        An argument is not what it must be.

    Notes
    -----
    Parameters with requires_grad=False are no part of theta. Tied ones stand in it once. Buffers,
    such as the running statistics of batch normalisation, and frozen parameters are in each
    evaluation those that the module had when the cost was made, also where `forward` writes them,
    as momentum encoders do. Dropout in training mode draws anew in each evaluation, and
    differently for each start.

    The gradient is what J.backward() leaves in the parameters, also where the way back calls the
    module again (checkpoints, adjoint methods, reversible layers) or where the module is scripted;
    what vmap cannot stack is evaluated one start after the other.

    A cost may be called from several threads. Evaluations of modules wait for one another, whatever
    cost they are of, as theta is written into the module meanwhile; so threads gain no time here.

    An error that the module raises is its own and passes through. Where tensors of several dtypes
    meet, or after `to`, it becomes an `InvalidInput` that says so.

    Examples
    --------
    >>> import torch
    >>> line = torch.nn.Linear(1, 1)
    >>> cost = ModuleCost(line, torch.nn.functional.mse_loss, ([[1.0], [3.0]], [[2.0], [6.0]]))
    >>> J, gradient = cost([1.0, 0.0])
    >>> float(J), gradient.tolist(), [block.name for block in cost.blocks]
    (5.0, [-10.0, -4.0], ['weight', 'bias'])
    """

    def __init__(
        self,
        module: nn.Module,
        loss: Callable[[Any, Any], Any] | None = None,
        data: tuple[Any, Any] | None = None,
        *,
        step: Step | None = None,
        batch: Any = None,
        memory_budget: int = DEFAULT_MEMORY,
    ) -> None:
        blocks = blocks_of_module(module)
        _check_way(loss, data, step, batch)
        self.blocks: tuple[Block, ...] = blocks
        first = flat(module, blocks[:1])
        self.device = first.device
        self._users_module, self._given_dtype = module, first.dtype
        own = copied(module)
        if loss is not None:
            batch, step = prepared_pair(data, first.dtype, first.device), LossStep(loss)
        assert step is not None
        self._data = _Data(
            module=own,
            dtype=first.dtype,
            step=step,
            call=ModuleCall(own, module, step, batch, blocks),
            is_pair=loss is not None,
            n_examples=None if loss is None else count_examples(batch),
            stacking=Stacking(memory_budget),
        )

    @property
    def dtype(self) -> torch.dtype:
        """Of theta, J and its gradient."""
        return self._data.dtype

    @property
    def n_examples(self) -> int | None:
        """How many examples (X, y) holds; None for a step, or where first axes differ in length."""
        return self._data.n_examples

    @property
    def mode(self) -> str:
        """How a stack of starts is evaluated: "stacked" (by vmap) or "one by one".

        Tried out on the first stack, or here. Where even two starts are over the memory budget, a
        "stacked" cost also takes them one after the other.
        """
        stacking = self._data.stacking
        with _ONE_AT_A_TIME:
            if stacking.mode is None:
                stacking.find_out(self._data.call, self._own_theta()[None], self.n_examples)
            return str(stacking.mode)

    @property
    def is_weight(self) -> Tensor:
        """Whether each entry of theta is a weight and not a bias or of a norm, (n,) bool."""
        mask = torch.zeros(self.blocks[-1].stop, dtype=torch.bool, device=self.device)
        for weight in weights_of(self._data.module, self.blocks):
            mask[weight.block.slice] = True
        return mask

    @property
    def is_fixed(self) -> Tensor:
        """Whether each entry of theta is of a padding row, which no gradient moves, (n,) bool."""
        return padding_of(self._data.module, self.blocks).to(self.device)

    def initial_theta(self) -> Tensor:
        """Return the parameters that the module has now, (n,)."""
        return self._own_theta()

    def initialize(
        self,
        rule: str | Rule = "glorot_uniform",
        *,
        starts: int | None = None,
        seed: int | None = 0,
    ) -> Tensor:
        """Draw starts by a rule of `symbreak.rules`.

        Parameters
        ----------
        rule : a word such as "he_normal", or a rule such as `sb.rules.Uniform(epsilon=0.12)`.
        starts : how many; None for one start as a plain vector. Start k is the same however many
            are drawn.
        seed : not negative; None takes a fresh one. What a parameter gets depends on the seed, its
            name and its shape alone.

        Returns
        -------
        (starts, n) or (n,), in the dtype and on the device of the cost. Weights, and the biases of
        their layers, are drawn; all else keeps the values of the module. Activations are not known
        here: gain="activation" means 1.

        Raises
        ------
        InvalidInput, InvalidType
            An argument is not what it must be.

        Warns
        -----
        SymmetryWarning
            The rule starts all units of a layer equal.
        """
        chosen = resolve(rule)
        count = 1 if starts is None else integer_or_none("starts of initialize", starts, 1)
        seed = check_seed("seed of initialize", seed)
        weights = weights_of(self._data.module, self.blocks)
        warn_of_symmetry(chosen, weights)
        own = self._own_theta().to(device="cpu", dtype=torch.float64).numpy()
        theta = np.tile(own, (count, 1))
        draw_into(theta, weights, chosen, seed, range(count))
        drawn = torch.from_numpy(theta).to(self.dtype).to(self.device)
        return drawn[0] if starts is None else drawn

    def load_into_module_(self, theta: Any, *, start: int | None = None) -> None:
        """Write theta into the parameters of the module that the cost was made of.

        Parameters
        ----------
        theta : (n,), or (starts, n) with `start`, the row that is meant.

        Raises
        ------
        InvalidInput
            theta does not fit, or `start` is missing or not one of its rows.
        """
        stack = self.stack(theta)
        if start is None:
            if len(stack) > 1:
                raise InvalidInput(
                    f"start of load_into_module_ must be given for a stack of {len(stack)} starts, "
                    "such as start=outcome.best. Got None."
                )
            start = 0
        index = check_indices([start], len(stack), "start of load_into_module_", "start")
        load_(self._users_module, stack[int(index[0])], self.blocks)

    def take(self, starts: Any) -> Self:  # noqa: ARG002 - part of the contract
        """Return the cost itself: nothing of it belongs to a single start."""
        return self

    def batch(self, rows: Any) -> Self:
        """Return the cost on these examples (indices, or a mask) of (X, y).

        Where the loss is a mean over examples, the mean over equal batches is J itself.

        Raises
        ------
        InvalidType
            The cost was made with `step`, or X and y share no first axis.
        """
        if self.n_examples is None:
            got = "step and batch" if not self._data.is_pair else "first axes of several lengths"
            raise InvalidType(
                f"batch needs (X, y) with one example in each row of every tensor. Got {got}."
            )
        index = check_indices(rows, self.n_examples, "rows of batch", "example")
        chosen = mapped_tensors(
            self._data.call.batch, lambda tensor: tensor[torch.from_numpy(index).to(tensor.device)]
        )
        return self._with(call=self._data.call.on(chosen), n_examples=len(index))

    def to(self, dtype: Any) -> Self:
        """Return the cost of a copy of module and data in another dtype.

        Of a `batch` for `step`, the floating tensors in its containers follow.
        """
        data, dtype = self._data, as_dtype(dtype, FLOATING)
        with torch.inference_mode(False):
            module = copied(data.module, recompiled=True).to(dtype)
            step = _in_dtype(data.step, dtype)
            batch = as_floating(data.call.batch, dtype)
        return self._with(
            module=module,
            dtype=dtype,
            step=step,
            call=ModuleCall(module, self._users_module, step, batch, self.blocks),
            stacking=Stacking(data.stacking.memory_budget),
        )

    def _with(self, **changes: Any) -> Self:
        other = copy.copy(self)
        other._data = dataclasses.replace(self._data, **changes)
        return other

    def _own_theta(self) -> Tensor:
        return flat(self._users_module, self.blocks).to(dtype=self.dtype, device=self.device)

    def stack(self, theta: Any) -> Tensor:
        """Return theta as a stack, checked."""
        tensor = as_tensor(theta, "theta")
        check_size(tensor, self.blocks)
        stack = tensor.to(dtype=self.dtype, device=self.device)
        return (stack if stack.dim() == 2 else stack[None]).contiguous()

    def evaluate(self, stack: Tensor, gradient: Tensor | None) -> Tensor:
        """Return J (starts,) of a stack and write its gradient, if one is wanted."""
        call = self._data.call
        with _ONE_AT_A_TIME:
            try:
                return self._data.stacking.evaluate(call, stack, gradient, self.n_examples)
            except SymbreakError:
                raise
            except Exception as error:
                check_dtypes(self._data.module, call.batch, self.dtype, self._given_dtype, error)
                raise


def _check_way(loss: Any, data: Any, step: Any, batch: Any) -> None:
    """Refuse all but (loss, data) and (step, batch)."""
    if (loss is None) == (step is None):
        got = "neither" if loss is None else "both"
        raise InvalidInput(
            f"ModuleCost must be given a loss with (X, y), or step= with batch=. Got {got}."
        )
    name, function = ("loss", loss) if step is None else ("step", step)
    if isinstance(function, type):
        raise InvalidType(
            f"{name} of ModuleCost must be a function, or an object that can be called. Got the "
            f"class {function.__name__}; call it first: {function.__name__}()."
        )
    if not callable(function):
        raise InvalidType(
            f"{name} of ModuleCost must be a function, such as torch.nn.functional.mse_loss for a "
            f"loss. Got {type(function).__name__}."
        )
    if step is not None and data is not None:
        raise InvalidInput("data of ModuleCost must not be given with step=. Pass it as batch=.")
    if loss is not None and batch is not None:
        raise InvalidInput(
            "batch of ModuleCost must not be given with a loss. Pass (X, y) as the third argument."
        )


def _in_dtype(step: Step, dtype: torch.dtype) -> Step:
    """Return the step with the weights of a loss that is a module in another dtype."""
    if isinstance(step, LossStep) and isinstance(step.loss, nn.Module):
        return LossStep(copied(step.loss).to(dtype))
    return step
