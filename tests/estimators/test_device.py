"""An estimator predicts where its parameter `device` says now, wherever it was fitted.

"cpu:0" is a device of PyTorch here, as a GPU is: tensors are computed on.
"""

from __future__ import annotations

import re

import numpy as np
import pytest

import symbreak as sb
from symbreak.estimators.fitted import ON_THE_CPU
from tests.test_without_torch import BLOCKED, run

X = np.linspace(-1.0, 1.0, 20)[:, None]
y = (X[:, 0] > 0.2).astype(int)
PREDICTED = """
import sys
import numpy as np
import symbreak as sb

X = np.linspace(-1.0, 1.0, 20)[:, None]
net = sb.MLPClassifier.load(sys.argv[1])
try:
    net.predict(X)
except sb.MissingOptionalPackage as error:
    print(error)
for device in ("cpu", None):
    net.set_params(device=device)
    print(*net.predict(X), *net.transform(X).shape, *net.predict_starts(X).shape)
assert net.check_gradient_(X, net.predict(X)).verdict == "pass"
assert net.symmetry_.effective_widths.tolist() == [[3]]
"""


def fitted(**named):
    given = {"solver": "lbfgs", "n_starts": 2, "random_state": 0, "max_iter": 30, "alpha": 0.1}
    return sb.MLPClassifier((3,), **given | named).fit(X, y)


def of_the_surface(net):
    return [net.predict_proba(X), net.predict_starts(X), net.transform(X)]


@pytest.mark.needs_torch
@pytest.mark.parametrize("combine", ["average", "all"])
def test_a_fit_on_a_device_predicts_without_pytorch(tmp_path, combine):
    net = fitted(device="cpu:0", combine=combine)
    net.save(tmp_path / "net")
    said, *predicted = run(BLOCKED + PREDICTED, tmp_path / "net").splitlines()
    assert said == (
        "The device cpu:0 needs the package torch, which is not installed. "
        'Run: pip install "symbreak[torch]". ' + ON_THE_CPU
    )
    assert predicted == [" ".join(map(str, [*net.predict(X), 20, 3, 2, 20, 1]))] * 2


@pytest.mark.needs_torch
def test_a_device_that_is_not_here_is_left_by_set_params():
    net = fitted()
    wanted = of_the_surface(net)
    net.set_params(device="cuda:63")
    said = re.escape(f"Got 'cuda:63'. {ON_THE_CPU}")
    for predict in (net.predict, net.predict_proba, net.predict_starts, net.transform):
        with pytest.raises(sb.InvalidInput, match=said):
            predict(X)
    for device in ("cpu", None, "cpu:0"):
        for found, one in zip(of_the_surface(net.set_params(device=device)), wanted, strict=True):
            np.testing.assert_allclose(found, one, rtol=1e-12)
