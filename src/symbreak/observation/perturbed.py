"""The same module on perturbed inputs, and with perturbed derivatives at its end.

Two units that agree on one batch by chance (a feature that is zero in it, a class that is absent
from it) do not agree here; units that compute the same function and are used alike still do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from symbreak.objectives.containers import mapped_tensors
from symbreak.observation.watch import LOOKUPS, Watch, table_in

_SHARE = 0.1  # of the spread of an input
_LOSSES = {
    "cross_entropy", "nll_loss", "mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss",
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "kl_div", "poisson_nll_loss",
    "gaussian_nll_loss", "multi_margin_loss", "soft_margin_loss", "hinge_embedding_loss",
}  # fmt: skip


class PerturbedWatch(Watch):
    """Watches a pass whose inputs and last derivatives are noisy; the same noise every time."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__(module)
        self._noise = torch.Generator().manual_seed(0)

    def called(
        self, name: str, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Call the function; lookups in tables and arguments of losses get noise."""
        if name in _LOSSES:
            if args:
                args = (self._blurred_delta(args[0]), *args[1:])
            else:
                kwargs = {**kwargs, "input": self._blurred_delta(kwargs["input"])}
        if name in LOOKUPS:
            func = self._mixed(func)
        return super().called(name, func, args, kwargs)

    def _mixed(self, lookup: Callable[..., Any]) -> Callable[..., Any]:
        """Return a lookup that adds a share of another row; equal columns stay equal."""

        def mixed(*args: Any, **kwargs: Any) -> Any:
            output, table = lookup(*args, **kwargs), table_in((*args, *kwargs.values()))
            if table is None or not isinstance(output, Tensor):
                return output
            rows = torch.randint(len(table), output.shape[:-1], generator=self._noise)
            others = table.detach()[rows.to(table.device)]
            shares = _SHARE * torch.randn(output.shape[:-1], generator=self._noise)
            return output + shares.to(others)[..., None] * others

        return mixed

    @contextmanager
    def following(self) -> Iterator[None]:
        """Follow the parts, and perturb what goes into the whole and comes back to its end."""

        def blur(_module: nn.Module, args: Any, kwargs: Any) -> Any:
            return mapped_tensors(args, self._blurred), mapped_tensors(kwargs, self._blurred)

        def end(_module: nn.Module, _args: Any, output: Any) -> Any:
            return mapped_tensors(output, self._blurred_delta)

        with super().following():
            handles = (
                self.module.register_forward_pre_hook(blur, with_kwargs=True),
                self.module.register_forward_hook(end),
            )
            try:
                yield
            finally:
                for handle in handles:
                    handle.remove()

    def _blurred(self, x: Tensor) -> Tensor:
        if not x.is_floating_point():
            return x
        return x + self._like(x) * _SHARE * _spread(x)

    def _blurred_delta(self, raw: Tensor) -> Tensor:
        if not raw.requires_grad or raw.dim() == 0:
            return raw
        noise = self._like(raw)
        # A tensor of its own, since hooks of the layer itself must see what comes after this one.
        again = raw.view_as(raw)
        again.register_hook(lambda delta: delta + noise * _rms(delta))
        return again

    def _like(self, x: Tensor) -> Tensor:
        return torch.randn(x.shape, generator=self._noise).to(x)


def _spread(x: Tensor) -> Tensor:
    finite = x.detach()[x.detach().isfinite()]
    spread = finite.std(correction=0) if finite.numel() else torch.ones_like(x.detach().sum())
    return torch.where(spread > 0, spread, torch.ones_like(spread))


def _rms(delta: Tensor) -> Tensor:
    rms = delta.square().mean().sqrt()
    return torch.where(rms > 0, rms, torch.ones_like(rms))
