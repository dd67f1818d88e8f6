import re
import subprocess
import sys
from pathlib import Path

import pytest

import malformed
import wheelkit
from support.rows import rows

DOCS = Path(__file__).parents[2] / "docs" / "api.md"
EXAMPLES = re.findall(
    r"^## `wheelkit\.(\w+)`.*?^```python\n(.*?)^```$",
    DOCS.read_text(encoding="utf-8"),
    re.MULTILINE | re.DOTALL,
)
# What each example must show of the good wheel.
SHOWN = {
    "read": "demo 1.0 ['cp311-abi3-manylinux_2_31_x86_64']",
    "Wheel": "requires Python >=3.11",
    "scan": "['",
    "verify": "manylinux_2_31_x86_64 abi3 wheel manylinux_2_31: glibc 2.29",
}


@pytest.mark.parametrize(("name", "source"), EXAMPLES, ids=[name for name, _ in EXAMPLES])
def test_the_examples_run(name: str, source: str, tmp_path: Path) -> None:
    path = malformed.valid_wheel().write(tmp_path)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", source, str(path)], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert SHOWN[name] in done.stdout


def test_every_example_is_known() -> None:
    assert {name for name, _ in EXAMPLES} == set(SHOWN)


@rows("name", wheelkit.__all__)
def test_every_name_is_there(name: str) -> None:
    assert getattr(wheelkit, name) is not None
    assert name in dir(wheelkit)


def test_importing_it_is_light() -> None:
    heavy = ("wheelkit.", "packaging", "click")
    code = f"import sys, wheelkit; print([name for name in sys.modules if name.startswith({heavy})])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_verify_stays_a_function(tmp_path: Path) -> None:
    import wheelkit.verification.run

    assert wheelkit.verify([malformed.valid_wheel().write(tmp_path)], wheelkit.Contract()).ok


def test_other_names_are_none() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = wheelkit.nothing  # type: ignore[attr-defined]  # what is not there
