"""Modules with PyTorch's defaults: nothing at error level, and the list that was expected."""

from __future__ import annotations

from pathlib import Path

import pytest
from torch.nn.functional import cross_entropy

from symbreak import scan_weights
from symbreak.findings import KINDS
from symbreak.modules.diagnosis import detectors
from symbreak.modules.diagnosis.detectors import DETECTORS
from tests.modules.diagnosis.modules import BUILDERS, built
from tests.modules.diagnosis.seen import observe

CLONES = ("identical_tensors", "warning", "body.layers.0")
PACKED = [("wrong_scale", "note", f"body.layers.{i}.self_attn.in_proj_weight") for i in range(3)]
EXPECTED = {
    "mlp": set(),
    # A relu after few channels of a depthwise convolution: some channels are zero on 16 pictures.
    "cnn": {("dead_units", "note", "5")},
    "resnet": set(),
    # nn.TransformerEncoder copies one layer; xavier_uniform_ takes q, k and v for one matrix.
    "encoder": {CLONES, *PACKED},
    "gru": set(),
}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", BUILDERS)
def test_a_default_module_has_the_expected_findings_and_no_error(name, seed):
    module, X, y = built(name, seed)
    seen = observe(module, cross_entropy, X, y)
    found = [finding for detect in DETECTORS.values() for finding in detect(seen)]
    assert {(f.kind, f.level, f.where) for f in found} == EXPECTED[name]
    assert all(f.evidence and f.remedy for f in found)


@pytest.mark.parametrize("name", BUILDERS)
def test_the_weights_of_a_default_module_alone(name):
    found = scan_weights(built(name)[0].state_dict())
    assert {(f.kind, f.level, f.where) for f in found.findings} <= {CLONES}
    assert found.ok


def test_every_kind_has_its_detector_and_no_file_is_forgotten():
    assert set(DETECTORS) == set(KINDS) - {"mirrored_units"}  # found together with identical units
    folder = Path(detectors.__file__).parent
    files = {p.stem for p in folder.glob("*.py") if "\ndef detect" in p.read_text("utf-8")}
    assert {detect.__module__.rpartition(".")[2] for detect in DETECTORS.values()} == files
