"""The pages that follow from declarations, and what shells and `man` are told."""

import shutil
import subprocess
from pathlib import Path

import pytest

from bridge.cli.manual import commands, completion_for, man_page
from bridge.cli.parser import build_parser
from tools.pages import DOCS, PAGES


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_what_the_declarations_say(name: str) -> None:
    """If this fails: python -m tools.pages."""
    assert (DOCS / name).read_text(encoding="utf-8") == PAGES[name]()


def test_the_man_page_names_every_command_and_option() -> None:
    page = man_page(build_parser()).replace("\\-", "-")
    for name, sub in commands(build_parser()):
        assert f'.SS "{name}"' in page
        for action in sub._actions:
            for text in action.option_strings:
                assert text in page or text in {"-h", "--help"}, (name, text)


@pytest.mark.parametrize("page", [PAGES["commands.md"](), man_page(build_parser())])
def test_what_help_leaves_out_is_said_on_paper(page: str) -> None:
    assert "SUPPRESS" not in page
    assert "mastodon or x" in page
    assert "verify, backup, restore, export, import or rebind" in page


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not here to set the page")
def test_the_man_page_can_be_set() -> None:
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww"],
        input=man_page(build_parser()), capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stderr == ""
    assert "Mirrors" in done.stdout


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("twinpost his", "history"),
        ("twinpost history --li", "--limit"),
        ("twinpost completion f", "fish"),
    ],
)
def test_bash_completes_commands_options_and_choices(
    tmp_path: Path, typed: str, offered: str
) -> None:
    script = tmp_path / "twinpost.bash"
    script.write_text(completion_for("bash", build_parser()), encoding="utf-8")
    words = typed.split(" ")
    line = f"""
        source {script}
        COMP_WORDS=({" ".join(words)}); COMP_CWORD={len(words) - 1}
        _twinpost; printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True)
    assert offered in done.stdout.split()


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_accept_their_script(tmp_path: Path, shell: str) -> None:
    script = tmp_path / "script"
    script.write_text(completion_for(shell, build_parser()), encoding="utf-8")
    assert "history" in script.read_text(encoding="utf-8")
    if (program := shutil.which(shell)) is not None:
        subprocess.run([program, "-n", str(script)], check=True)
