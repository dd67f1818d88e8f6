"""Command lines: split as sh splits them, refused where only a shell could run them, quoted for cmd.exe."""

from __future__ import annotations

import shlex
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.cmd_lines import PINNED
from wheelkit.command_lines import CommandLineError, batch_line, cmd_line, split_command

SHELLS = [shell for shell in ("sh", "dash", "bash") if shutil.which(shell)]
# Every sign that POSIX shells act on, and a few letters.
LINES = st.text(alphabet=" \t'\"\\$`*?[]{}()<>|&;#~!=%^,.:/-+@aZ1é", max_size=12)
WORDS = st.lists(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\x00")), max_size=4)


def shell_words(shell: str, line: str) -> list[str]:
    """Return the arguments that a shell makes of a line."""
    script = f"set -- {line}\nprintf '%s\\0' \"$@\" end"
    done = subprocess.run([shell, "-c", script], capture_output=True, text=True, check=True)
    return done.stdout.split("\0")[:-2]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("orrery solve 1.0 0.2", ("orrery", "solve", "1.0", "0.2")),
        ("python -c 'import a; print(a > 1)'", ("python", "-c", "import a; print(a > 1)")),
        ("python -c \"import a; assert 'x' != 1\"", ("python", "-c", "import a; assert 'x' != 1")),
        (r'a "b\"c\\d\e\$\`" \ f\|g', ("a", 'b"c\\d\\e$`', " f|g")),
        ("a ''\"\" b''c", ("a", "", "bc")),
        ("  a\t--x=y=z  a#b c~ ", ("a", "--x=y=z", "a#b", "c~")),
        ("'X=1' a", ("X=1", "a")),
        ("a X=1 cd if '*' \"[x]\" '#' '~'", ("a", "X=1", "cd", "if", "*", "[x]", "#", "~")),
        ("sh -c 'a | b && c > d'", ("sh", "-c", "a | b && c > d")),
    ],
)
def test_a_line_is_split_as_sh_splits_it(line: str, words: tuple[str, ...]) -> None:
    assert split_command(line) == words
    for shell in SHELLS:
        assert shell_words(shell, line) == list(words)


@given(LINES)
def test_what_is_not_refused_is_what_every_shell_reads(line: str) -> None:
    try:
        words = split_command(f"a {line}")
    except CommandLineError:
        return
    for shell in SHELLS:
        assert shell_words(shell, line) == list(words[1:])


@given(WORDS)
def test_quoted_words_are_never_refused(words: list[str]) -> None:
    assert split_command(shlex.join(["a", *words])) == ("a", *words)


@pytest.mark.parametrize(
    ("line", "sign"),
    [
        ("a | b", "|"),
        ("a && b", "&"),
        ("a & ", "&"),
        ("a; b", ";"),
        ("a > b", ">"),
        ("a 2>&1", ">"),
        ("a < b", "<"),
        ("(a)", "("),
        ("a $HOME", "$"),
        ('a "$HOME"', "$"),
        ("a `b`", "`"),
        ('a "`b`"', "`"),
        ("a *.py", "*"),
        ("a b?", "?"),
        ("a t.py::t[x]", "["),
        ("a {b,c}", "{"),
        ("a ~/b", "~"),
        ("a # b", "#"),
        ("X=1 a", "X="),
        ("cd a", "cd"),
        ("! a", "!"),
    ],
)
def test_what_only_a_shell_can_do_is_refused(line: str, sign: str) -> None:
    with pytest.raises(CommandLineError) as caught:
        split_command(line)
    quoting = "" if sign in {"X=", "cd", "!"} else "put it into single quotes, or "
    assert str(caught.value) == (
        f"{sign} is for a shell, and commands run without one; {quoting}start a shell:  sh -c '...'"
    )
    shell, option, script = split_command(f"sh -c {shlex.quote(line)}")
    assert (shell, option, script) == ("sh", "-c", line)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("a 'b", "not a command line (no closing quotation)"),
        ('a "b', "not a command line (no closing quotation)"),
        ("a b\\", "not a command line (no escaped character)"),
        ("  ", "names no program"),
        ("'' a", "names no program"),
    ],
)
def test_what_is_no_command_is_refused(line: str, what: str) -> None:
    with pytest.raises(CommandLineError) as caught:
        split_command(line)
    assert str(caught.value) == what


@pytest.mark.parametrize(("arguments", "line"), PINNED)
def test_cmd_gets_the_line_that_passes_these_arguments_on(arguments: tuple[str, ...], line: str) -> None:
    assert cmd_line(("python", *arguments)) == f"python {line}"


@pytest.mark.parametrize(
    ("program", "quoted"),
    [
        ("my-tool.exe", "my-tool.exe"),
        ("C:\\Program Files\\a.exe", '"C:\\Program Files\\a.exe"'),
        ("C:\\a&b\\c.exe", '"C:\\a&b\\c.exe"'),
        ("echo", '"echo"'),
        ("Copy", '"Copy"'),
        ("@a", '"@a"'),
    ],
)
def test_no_program_is_taken_for_a_command_of_cmd(program: str, quoted: str) -> None:
    assert cmd_line((program, "a")) == f"{quoted} a"


def test_a_batch_file_gets_every_argument_in_quotes() -> None:
    line = batch_line(("C:\\a b\\c.cmd", "x", "a & b", "d\\", "", "^!"))
    assert line == r'''"C:\a b\c.cmd" "x" "a & b" "d\\" "" "^!"'''


@pytest.mark.parametrize("argument", ["%OS%", "50%", 'a"b'])
def test_a_batch_file_is_not_given_what_it_would_read_again(argument: str) -> None:
    with pytest.raises(CommandLineError, match="it is a batch file"):
        batch_line(("c.cmd", "a", argument))
    assert cmd_line(("c", "a", argument)).startswith("c a ")


@pytest.mark.parametrize("quote", [cmd_line, batch_line])
@pytest.mark.parametrize("argv", [("a", "b\nc"), ("a", "b\r"), ("a", "\x00"), ("a%b", "c"), ('a"b', "c")])
def test_what_cmd_cannot_pass_on_is_refused(quote: object, argv: tuple[str, ...]) -> None:
    assert callable(quote)
    with pytest.raises(CommandLineError, match=r"cmd\.exe cannot"):
        quote(argv)
