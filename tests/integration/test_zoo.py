"""Both pips and uv do with variants of the zoo what is recorded, and what wheelkit says agrees with them.

Each tenth variant is asked about; WHEELKIT_ZOO=all asks about all of them, which takes five minutes.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from installers.campaign import compare_file, unpack_pips
from installers.drafts import valid
from installers.run import Installers, installers
from zoo import VARIANTS
from zoo.outcomes import WHEELS, read_outcomes

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="installs as on Linux")
STEP = 1 if os.environ.get("WHEELKIT_ZOO") == "all" else 10
RECORDED = read_outcomes(WHEELS)
# What the comparison of installed files does not know.
NOT_COMPARED = {
    "name_unicode_unassigned": "which characters are assigned depends on the version of Unicode",
    "unicode_path_climbing_both": "uv leaves out the file, by a name that only an extra field has",
    "unicode_path_other_both": "uv names the file as an extra field does",
}


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installers]:
    folder = tmp_path_factory.mktemp("installers")
    with installers(unpack_pips(folder), valid(Random(0)).write(folder)) as started:  # noqa: S311
        yield started


@pytest.mark.parametrize("name", list(VARIANTS)[::STEP])
def test_variant(ready: Installers, tmp_path: Path, name: str) -> None:
    comparison = compare_file(VARIANTS[name].write(tmp_path), 0, name, ready)
    refusing = frozenset(installer.partition(" ")[0] for installer in comparison.refusals)
    assert refusing == RECORDED[name].refusing
    if name not in NOT_COMPARED:
        assert comparison.disagreements == ()
