"""docs/testing-a-protocol.md runs as it stands."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "testing-a-protocol.md"


def test_the_blocks_of_the_page_run_in_order():
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    assert len(blocks) >= 8
    namespace = {"__name__": "page"}
    for number, block in enumerate(blocks):
        exec(compile(block, f"{PAGE.name}, block {number}", "exec"), namespace)


def test_the_page_names_every_public_tool():
    import mpc.testing

    text = PAGE.read_text()
    secondary = {
        *("Message", "Recorder", "Transcript", "Simulation", "RandomProgram"),
        *("bits", "signed_arrays", "shapes", "matmul_shapes", "check_uniform", "check_jointly_uniform"),
    }
    assert [name for name in mpc.testing.__all__ if name not in secondary and name not in text] == []
