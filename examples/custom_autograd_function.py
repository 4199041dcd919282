"""A hand-written derivative, checked: is the gradient the slope of J?

Run it with `python examples/custom_autograd_function.py`; it takes a second.
It needs PyTorch: `pip install "symbreak[torch]"`.
"""

import torch
from torch import nn

import symbreak as sb


class Swish(torch.autograd.Function):
    """z sigmoid(z), with its derivative written by hand."""

    @staticmethod
    def forward(ctx, z):
        ctx.save_for_backward(z)
        return z * torch.sigmoid(z)

    @staticmethod
    def backward(ctx, delta):
        (z,) = ctx.saved_tensors
        s = torch.sigmoid(z)
        return delta * (s + z * s * (1 - s))


class HastySwish(Swish):
    """The same, but for the product rule: its second half was forgotten."""

    @staticmethod
    def backward(ctx, delta):
        (z,) = ctx.saved_tensors
        return delta * torch.sigmoid(z)


class Net(nn.Module):
    """Two layers around the function."""

    def __init__(self, function):
        super().__init__()
        self.first, self.second = nn.Linear(4, 6), nn.Linear(6, 2)
        self.function = function

    def forward(self, x):
        return self.second(self.function.apply(self.first(x)))


random = torch.Generator().manual_seed(0)
X = torch.randn(32, 4, generator=random)
y = torch.randint(0, 2, (32,), generator=random)

for function in (Swish, HastySwish):
    torch.manual_seed(0)
    cost = sb.ModuleCost(Net(function), nn.CrossEntropyLoss(), (X, y))
    report = sb.check_gradient(cost, cost.initial_theta())
    print(f"\n{function.__name__}: {report.verdict}")
    print(report)

# In a test one line does it: it raises with the whole report as its text.
torch.manual_seed(0)
cost = sb.ModuleCost(Net(Swish), nn.CrossEntropyLoss(), (X, y))
sb.check_gradient(cost, cost.initial_theta()).raise_on_failure()
