"""`completion` and `manual`: what a shell and `man` need to know, made from the parser itself.

Must not repeat what the parser says anywhere: a command that is added is completed and described.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator

from bridge import __version__
from bridge.cli.exits import Exit
from bridge.cli.parser import build_parser

_BASH = """\
# Completes twinpost in bash: source it, or save it as /etc/bash_completion.d/twinpost
_twinpost() {{
    local current="${{COMP_WORDS[COMP_CWORD]}}" command="" word
    for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        case "$word" in -*) ;; *) command="$word"; break ;; esac
    done
    case "$command" in
{cases}
        *) COMPREPLY=($(compgen -W "{commands}" -- "$current")) ;;
    esac
    [ ${{#COMPREPLY[@]}} -gt 0 ] || COMPREPLY=($(compgen -f -- "$current"))
}}
complete -o filenames -F _twinpost twinpost
"""
_ZSH = "#compdef twinpost\nautoload -U +X bashcompinit && bashcompinit\n"


def completion(arguments: argparse.Namespace) -> int:
    """Print what makes a shell complete commands and options."""
    print(completion_for(arguments.shell, build_parser()), end="")
    return Exit.FINE


def manual(_: argparse.Namespace) -> int:
    """Print the man page."""
    print(man_page(build_parser()), end="")
    return Exit.FINE


def commands(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Every command with its own parser, those of groups as ``group command``, in order."""
    for action in parser._actions:  # noqa: SLF001 - argparse offers no other way
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - as above
            for name, sub in action.choices.items():
                yield name, sub
                for inner, deeper in commands(sub):
                    yield f"{name} {inner}", deeper


def options(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """What can be given to one command, its help left out."""
    return [
        action
        for action in parser._actions  # noqa: SLF001 - argparse offers no other way
        if not isinstance(action, argparse._HelpAction | argparse._SubParsersAction)  # noqa: SLF001 - as above
    ]


def spelling(action: argparse.Action) -> str:
    """An option as it is typed: ``--limit N``; a place as it is called: ``ID``."""
    takes = action.nargs != 0
    value = action.metavar or (action.dest.upper() if takes else "")
    if not action.option_strings:
        return str(action.metavar or action.dest)
    return (
        f"{', '.join(action.option_strings)} {value}".strip()
        if takes
        else ", ".join(action.option_strings)
    )


def meaning(action: argparse.Action) -> str:
    """What an option or a place is for; its choices where its help says nothing of its own."""
    if action.help and action.help != argparse.SUPPRESS:
        return action.help
    *others, last = (str(choice) for choice in action.choices or [""])
    return f"{', '.join(others)} or {last}" if others else last


def completion_for(shell: str, parser: argparse.ArgumentParser) -> str:
    """A script for ``bash``, ``zsh`` or ``fish``."""
    known = {name: sub for name, sub in commands(parser) if " " not in name}
    if shell == "fish":
        return "".join(_fish(known))
    cases = "\n".join(
        f'        {name}) COMPREPLY=($(compgen -W "{" ".join(_words(sub))}" -- "$current")) ;;'
        for name, sub in known.items()
    )
    script = _BASH.format(cases=cases, commands=" ".join(known))
    return _ZSH + script if shell == "zsh" else script


def _words(parser: argparse.ArgumentParser) -> list[str]:
    words = [text for action in options(parser) for text in action.option_strings]
    words += [name for name, _ in commands(parser) if " " not in name]
    for action in options(parser):
        if not action.option_strings and action.choices:
            words += [str(choice) for choice in action.choices]
    return [*words, "--help"]


def _fish(known: dict[str, argparse.ArgumentParser]) -> Iterator[str]:
    yield "# Completes twinpost in fish: save it as ~/.config/fish/completions/twinpost.fish\n"
    for name, sub in known.items():
        about = _quoted(first_sentence(sub))
        yield f"complete -c twinpost -n __fish_use_subcommand -a {name} -d {about}\n"
        seen = f"-n '__fish_seen_subcommand_from {name}'"
        for inner, deeper in commands(sub):
            yield f"complete -c twinpost {seen} -a {inner} -d {_quoted(first_sentence(deeper))}\n"
        for action in options(sub):
            for text in action.option_strings:
                if text.startswith("--"):
                    takes = " -r" if action.nargs != 0 else ""
                    yield (
                        f"complete -c twinpost {seen} -l {text[2:]}{takes} "
                        f"-d {_quoted(meaning(action))}\n"
                    )


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def first_sentence(parser: argparse.ArgumentParser) -> str:
    """What a command is for, in its first sentence."""
    return (parser.description or "").split(". ", 1)[0].rstrip(".")


def man_page(parser: argparse.ArgumentParser) -> str:
    """The page as roff, for ``twinpost manual | man -l -``."""
    lines = [
        f'.TH TWINPOST 1 "" "twinpost {__version__}"',
        ".SH NAME",
        _roff(f"twinpost - {(parser.description or '').rstrip('.')}"),
        ".SH SYNOPSIS",
        ".B twinpost",
        ".I COMMAND",
        "[options]",
        ".SH COMMANDS",
    ]
    for name, sub in commands(parser):
        lines += [f'.SS "{name}"', _roff(sub.description or "")]
        for action in options(sub):
            lines += [".TP", f"\\fB{_roff(spelling(action))}\\fR", _roff(meaning(action))]
        if sub.epilog and (example := re.search(r"example: (.+)", sub.epilog)):
            lines += [".PP", f"Example: \\fI{_roff(example[1])}\\fR"]
    lines += [
        ".SH EXIT STATUS",
        _roff(_codes(parser)),
        ".SH SEE ALSO",
        "twinpost COMMAND \\-\\-help",
    ]
    return "\n".join(lines) + "\n"


def _codes(parser: argparse.ArgumentParser) -> str:
    for _, sub in commands(parser):
        if sub.epilog and "exit codes: " in sub.epilog:
            return sub.epilog.split("exit codes: ", 1)[1]
    return ""


def _roff(text: str) -> str:
    """Plain words as roff has them: nothing in it is taken for a command."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("%%", "%")
    return "\\&" + escaped if escaped.startswith((".", "'")) else escaped
