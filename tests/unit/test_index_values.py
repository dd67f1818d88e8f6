"""What the public indexes accept as values, against the libraries that they use themselves."""

from email.utils import getaddresses

from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st
from rfc3986 import exceptions, uri_reference, validators
from trove_classifiers import all_classifiers, classifiers, deprecated_classifiers

from support.rows import rows
from wheelkit.verification import index_values
from wheelkit.verification.index_values import classifier_problem, email_problem, is_web_address


def rfc3986_accepts(text: str) -> bool:
    validator = validators.Validator().allow_schemes("http", "https").require_presence_of("scheme")
    validator.check_validity_of("scheme", "host", "port", "path", "query")
    try:
        validator.validate(uri_reference(text).normalize())
    except exceptions.ValidationError:
        return False
    return True


@rows(
    ("url", "accepted"),
    [
        ("https://example.org", True),
        ("https://example.org/a-b/c_d.html#part", True),
        ("http://example.org:8080/a?b=c", True),
        ("https://example.org/@me/a=b;c?d=e&f#!part/1:2", True),
        ("HTTPS://Example.org/", True),
        ("https://user@example.org/~me/", True),
        ("https://example.org/a b", True),
        ("http s://example.org/", False),
        ("https//example.org/", False),
        ("example.org", False),
        ("ftp://example.org/a.zip", False),
        ("git+https://example.org/a.git", False),
        ("mailto:a@example.org", False),
        ("https://example.org:65535/", True),
        ("https://example.org:65536/", False),
        ("file:///home/me", False),
        ("None", False),
    ],
)
def test_urls(url: str, accepted: bool) -> None:  # noqa: FBT001 - a row of the table
    assert is_web_address(url) is accepted
    assert rfc3986_accepts(url) is accepted


@given(
    st.text(alphabet="abz09.-_~/:?#%@[] !$&'()*+,;=", max_size=12),
    st.sampled_from(["https://", "http://", "https:", ""]),
)
def test_urls_are_judged_as_rfc3986_does(text: str, scheme: str) -> None:
    assert is_web_address(scheme + text) == rfc3986_accepts(scheme + text)


def index_accepts(field: str) -> bool:
    """Judge a field as warehouse does: it validates the address, if there is one and only one."""
    addresses = getaddresses([field])
    if len(addresses) != 1 or not addresses[0][1]:
        return True
    try:
        validate_email(addresses[0][1], check_deliverability=False)
    except EmailNotValidError:
        return False
    return True


@rows(
    ("field", "problem"),
    [
        ("me@example.org", ""),
        ("A. Person <me@example.org>", ""),
        ('"Person, A." <me+spam@mail.example.co.uk>', ""),
        ("Jörg Müller <joerg@example.org>", ""),
        ("me@example.com (my comment)", ""),
        ("a@example.org, broken", ""),  # of several addresses the index looks at none
        ("A <a@example.org>, B <b@localhost>", ""),
        ("jörg@example.org", ""),
        ("me", "me has no @"),
        ("A. Person <me>", "me has no @"),
        ("me@localhost", '"localhost", the domain'),
        ("me@host.local", '"host.local", the domain'),
        ("me@my_host.org", '"my_host.org", the domain'),
        ("me@example.123", '"example.123", the domain'),
        ("me..you@example.org", '"me..you", before the @'),
        (f"{'a' * 65}@example.org", "before the @"),
    ],
)
def test_emails(field: str, problem: str) -> None:
    found = email_problem(field)
    assert found.startswith(problem) or problem in found
    assert bool(found) == bool(problem)


@given(
    st.text(alphabet="abX9._+-", min_size=1, max_size=6),
    st.lists(st.text(alphabet="abX9-_", max_size=5), min_size=1, max_size=4),
    st.sampled_from(["", ".org", ".local", ".test", ".invalid", ".c0m", ".9"]),
)
def test_addresses_are_judged_as_email_validator_does(local: str, labels: list[str], top: str) -> None:
    address = f"{local}@{'.'.join(labels)}{top}"
    for field in (address, f"A Person <{address}>", f"{address} (A Person)"):
        assert (not email_problem(field)) == index_accepts(field)


@given(
    st.lists(
        st.sampled_from(["a@b.org", "A <a@b.org>", "a", "A <a@b>", "", "a b", '"A, B" <a@b>']), max_size=3
    )
)
def test_lists_of_addresses_are_judged_as_the_index_does(parts: list[str]) -> None:
    field = ", ".join(parts)
    assert (not email_problem(field)) == index_accepts(field)


def test_the_common_classifiers_are_on_the_list() -> None:
    assert classifiers >= index_values._COMMON_CLASSIFIERS


def test_classifiers() -> None:
    assert not any(map(classifier_problem, classifiers))
    assert all(map(classifier_problem, deprecated_classifiers))
    assert set(all_classifiers) == classifiers | deprecated_classifiers.keys()
    assert classifier_problem("Programming Language :: Python :: 4.0") == "unknown"
    assert classifier_problem("Topic :: Communications :: Chat :: AOL Instant Messenger") == "deprecated"
    assert classifier_problem("Natural Language :: Ukranian") == "replaced by Natural Language :: Ukrainian"


@rows(
    ("platform", "accepted"),
    [
        *((tag, True) for tag in ("any", "win32", "win_amd64", "win_arm64", "linux_armv6l", "linux_armv7l")),
        *((tag, False) for tag in ("linux_x86_64", "linux_aarch64", "linux_armv8l", "win_armv7l", "win64")),
        *((f"manylinux{year}_x86_64", True) for year in (1, 2010, 2014)),
        ("manylinux2014_armv7l", True),
        ("manylinux2014_riscv64", False),
        ("manylinux2010_aarch64", False),
        ("manylinux_2_28_riscv64", True),
        ("manylinux_2_28_loongarch64", False),
        ("manylinux_2_17_ppc64", True),
        ("musllinux_1_2_ppc64", False),
        ("musllinux_1_2_s390x", True),
        ("macosx_10_9_universal2", True),
        ("macosx_10_6_intel", True),
        ("macosx_11_0_arm64", True),
        ("macosx_15_0_x86_64", True),
        ("macosx_26_0_arm64", True),
        ("macosx_13_6_x86_64", False),
        ("macosx_16_0_arm64", False),
        ("macosx_11_0_arm64e", False),
        ("ios_13_0_arm64_iphoneos", True),
        ("ios_13_0_arm64_iphonesimulator", True),
        ("ios_13_0_armv7_iphoneos", False),
        ("android_24_arm64_v8a", True),
        ("android_24_mips", False),
        ("pyemscripten_2026_0_wasm32", True),
        ("pyodide_2024_0_wasm32", False),
        ("emscripten_4_0_9_wasm32", False),
        ("freebsd_14_0_release_amd64", False),
    ],
)
def test_platforms(platform: str, accepted: bool) -> None:  # noqa: FBT001 - a row of the table
    assert index_values.is_accepted_platform(platform) is accepted
