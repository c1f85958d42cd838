"""A program called `ssh` that keeps its own words apart from a command's, as OpenSSH does."""

from pathlib import Path

# It opens the file that `-E` names (the last one counts) before it does anything else.
_OPENS = """\
#!/bin/sh
for word; do [ "$was" = -E ] && own=$word; was=$word; done
: >> "$own"
"""
# It greets, and runs what it is given as a login's shell does.
RUNS = 'echo "Welcome to c01"; for last; do :; done; exec sh -c "$last"'


def put_ssh(folder: Path, script: str) -> None:
    """Put it into a folder; `$own` is the file for what it says itself."""
    (folder / "ssh").write_text(f"{_OPENS}{script}\n")
    (folder / "ssh").chmod(0o755)


def says_itself(words: str, code: int = 255) -> str:
    """Return what one does that ends with words of its own."""
    return f"cat >> \"$own\" <<'END'\n{words}\nEND\nexit {code}"


def answers(words: str, code: int) -> str:
    """Return what one does whose command complains and ends with that code."""
    return f"cat >&2 <<'END'\n{words}\nEND\nexit {code}"
