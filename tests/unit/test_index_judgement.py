"""Random metadata: what `publish` refuses is what the stand-in index and packaging refuse."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.metadata import Metadata, RawMetadata, parse_email

from servers.forms import Form
from servers.index_rules import NotAcceptedError, judge
from support import wheels
from wheelkit.matrix import Matrix
from wheelkit.project.kinds import Kind
from wheelkit.publish import Index
from wheelkit.publish.index_rules import refused_findings
from wheelkit.verification.contract import Contract, Promise
from wheelkit.verification.run import verify

PUBLIC = Index(name="public", upload="http://h.invalid/", simple="http://h.invalid/simple/", public=True)
PROMISE = Promise(
    distribution="demo", kind=Kind.PURE, matrix=Matrix(targets=(), interpreters=(), declared=False)
)
OWN = Contract(promises={"demo": PROMISE})
# The form fields that are not called as packaging calls the field (twine, package.py).
FORM_NAMES = {
    "platforms": "platform",
    "supported_platforms": "supported_platform",
    "license_files": "license_file",
}
NOT_SENT = {"import_names", "import_namespaces"}
JUNK = st.text(alphabet="aZ0 .,;:@<>()[]\"'/-_+#%|\\", max_size=12)  # index_values judges ASCII addresses


def one_of(*values: str) -> st.SearchStrategy[str]:
    return st.sampled_from(values) | JUNK


URLS = one_of("https://e.org/a", "e.org", "", "UNKNOWN", "ftp://a", "HTTPS://A.org", "https://a:70000/")
ADDRESSES = one_of(
    "a@b.org", "A B <a@b.org>", "A, B <a@b.org>", "A <a@b.org>, C <c@d>", "A <a>", "a@b", "A <a@b.local>",
    "<a@b.org>", '"A, B" <x@y.org>', "a@b.org (A)", "A <a@b_c.org>", "é <é@b.org>", "UNKNOWN", "",
)  # fmt: skip
FIELDS: Mapping[str, st.SearchStrategy[str]] = {
    "Home-page": URLS,
    "Download-URL": URLS,
    "Project-URL": st.tuples(one_of("a", "x" * 32, "x" * 33, ""), URLS).map(", ".join) | URLS,
    "Author-email": ADDRESSES,
    "Maintainer-email": ADDRESSES,
    "Summary": one_of("x" * 512, "x" * 513, "UNKNOWN"),
    "Classifier": one_of("Typing :: Typed", "Typing :: typed", "Private :: X", "Framework :: Chandler"),
    "Requires-Dist": one_of("six", "six @ https://e.org/s", "six ; extra == 'a'", "six@ git+https://x"),
    "Provides-Dist": one_of("a", "a @ https://e.org/a"),
    "Dynamic": one_of("Dynamic", "Name", "Summary", "License-File"),
    "License": one_of("MIT", "UNKNOWN", ""),
    "License-Expression": one_of("MIT", "GPL", "MIT OR Apache-2.0"),
    "License-File": one_of("LICENSE", "doc/LICENSE", "../LICENSE"),
    "Description-Content-Type": one_of("text/markdown", "text/x-rst", "TEXT/X-RST; charset=utf-8", "a/b"),
    "Requires-Python": one_of(">=3", "3"),
    "Colour": one_of("red"),
}
LINES = st.one_of(*(st.tuples(st.just(name), values).map(": ".join) for name, values in FIELDS.items()))
VERSIONS = st.sampled_from(["2.4", "2.4", "2.4", "2.5", "2.6", "2.3", "2.1"])
BODIES = st.sampled_from(["A demo.\n", "", "See `broken <\n", "Demo\n===\n\nx\n", "UNKNOWN\n"])
PLACES = st.sampled_from(["{info}/licenses/LICENSE", "{info}/LICENSE", "demo/data.txt"])


def form_fields(text: str) -> dict[str, list[str]] | None:
    """Return the fields that twine sends, None where it refuses the metadata."""
    raw, unparsed = parse_email(text)
    if raw["metadata_version"] < "2.4":
        raw.pop("license_files", None)
    try:
        Metadata.from_raw(raw)
    except ExceptionGroup:
        return None
    return None if unparsed else dict(_sent(raw))


def _sent(raw: RawMetadata) -> Iterable[tuple[str, list[str]]]:
    for name, value in raw.items():
        if name in NOT_SENT:
            continue
        if isinstance(value, dict):
            yield name, [f"{label}, {url}" for label, url in value.items()]
        elif name == "keywords":
            yield name, [", ".join(value)]  # type: ignore[arg-type]  # a list of strings
        elif isinstance(value, list):
            yield FORM_NAMES.get(name, name), value
        else:
            yield name, [str(value)]


def is_refused(path: Path, text: str) -> bool:
    values = form_fields(text)
    if values is None:
        return True
    first = {name: entries[0] for name, entries in values.items() if entries}
    form = Form(fields=first, values=values, filename=path.name, content=path.read_bytes())
    try:
        judge(form)
    except NotAcceptedError:
        return True
    return False


@pytest.mark.filterwarnings("ignore::UserWarning")
@given(VERSIONS, st.lists(LINES, max_size=4), BODIES, PLACES)
def test_publish_refuses_what_the_index_refuses(
    version: str, lines: list[str], body: str, place: str
) -> None:
    text = "\n".join([f"Metadata-Version: {version}", "Name: demo", "Version: 1.0", *lines, "", body])
    with TemporaryDirectory() as folder:
        members = {"{info}/METADATA": text, place: "MIT"}
        path = wheels.write_wheel(Path(folder), wheels.PURE, members=members)
        report = verify([path], OWN)
        found = [finding for finding, _ in refused_findings(report.findings, (PUBLIC,))]
        assert bool(found) == is_refused(path, text), found
        assert all(re.match(r"WK\d{3}", finding.code) for finding in found)
