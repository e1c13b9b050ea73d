"""The examples at small size: they run, and what they print is near the reference that they print beside it."""

import gzip
import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest

import mpc

FOLDER = Path(__file__).parents[2] / "examples"


def example(name):
    spec = importlib.util.spec_from_file_location(f"example_{name}", FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def shown(capsys):
    """What an example prints: (all of it, the numbers by the text before them)."""

    def run(name, *args, parties=2, protocol="additive"):
        mpc.simulate(example(name).main, *args, parties=parties, protocol=protocol, seed=1)
        text = capsys.readouterr().out
        return text, {
            name.strip(): float(value) for name, value in re.findall(r"^([\w ,-]+?) +(0\.\d{4}|1\.0000)", text, re.MULTILINE)
        }

    return run


def test_every_example_is_run_here_or_as_the_demo():
    names = {path.stem for path in FOLDER.glob("*.py")} - {"two_hospitals"}
    source = Path(__file__).read_text()
    assert names and all(f'shown("{name}"' in source for name in names)


def test_an_mlp_learns_digits(shown):
    _, numbers = shown("mnist", "mlp", "1")
    assert numbers["test accuracy"] > 0.3


def test_a_lenet_learns_digits(shown):
    """Three epochs are better than guessing."""
    _, numbers = shown("mnist", "lenet", "3", protocol="plaintext")
    assert numbers["test accuracy"] > 0.3


def test_a_lenet_of_images_in_a_folder(shown, tmp_path):
    """As MNIST's files are, with two hundred images of noise: one step on what the owners have, and a look at the rest."""
    random = np.random.default_rng(0)
    for name, header, array in (
        ("images-idx3", 16, random.integers(0, 256, (200, 28, 28))),
        ("labels-idx1", 8, np.arange(200) % 10),
    ):
        (tmp_path / f"{name}-ubyte.gz").write_bytes(gzip.compress(bytes(header) + array.astype(np.uint8).tobytes()))
    text, numbers = shown("mnist", "lenet", "1", str(tmp_path), protocol="plaintext")
    assert "lenet on MNIST-10k, 40 images" in text
    assert 0 <= numbers["test accuracy"] <= 1


def test_a_network_that_the_example_does_not_know_is_refused(shown):
    with pytest.raises(mpc.errors.OptionError, match="mlp or lenet"):
        shown("mnist", "resnet", protocol="plaintext")


def test_two_banks_find_frauds_that_one_cannot(shown):
    text, numbers = shown("two_banks_fraud", "1500", "3")
    area = numbers["area under the curve"]
    assert area > numbers["scikit-learn, pooled"] - 0.1
    assert area > 0.75
    recall = float(re.search(r"recall ([\d.]+)", text)[1])
    assert 0.3 < recall <= 1


def test_three_hospitals_agree_on_risks(shown):
    text, numbers = shown("three_hospitals_risk", "80", "20", parties=3, protocol="plaintext")
    assert abs(numbers["concordance"] - numbers["scikit-learn, pooled"]) < 0.03
    ours, theirs = (np.array(re.findall(r" (\d+\.\d\d)", line), float) for line in text.splitlines()[:2])
    assert len(ours) == 4
    np.testing.assert_allclose(ours, theirs, rtol=0.2)


def test_a_company_serves_its_model(shown, tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(example("model_service").exported().SerializeToString())
    _, numbers = shown("model_service", str(path), "64")
    assert numbers["test accuracy"] > 0.85
    assert abs(numbers["test accuracy"] - numbers["PyTorch, in the clear"]) < 0.08
