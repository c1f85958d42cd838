"""The shipped sudoers file with a real sudo: no cut of its words runs what its caller has written.

Each try is made in mounts of its own, so this machine keeps its sudoers file and its units.
"""

import os
import shlex
import shutil
import subprocess  # noqa: TID251  # sudo itself, as another user
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest

from stackward.ports.root import ALL, FILL_DROP_IN, SOCKETS, For, RootCommand, Words, may_write
from stackward.report.sudoers import sudoers_file

HAS_ALL = os.geteuid() == 0 and all(map(shutil.which, ("sudo", "unshare", "setpriv")))
pytestmark = pytest.mark.skipif(not HAS_ALL, reason="it takes root, and sudo")

UPSTREAM = "Defaults env_reset\n"  # as sudo comes: no `secure_path`
DEBIAN = f'{UPSTREAM}Defaults secure_path="/usr/sbin:/usr/bin:/sbin:/bin"\n'
EVIL = '#!/bin/sh\necho "EVIL as $(id -u)"\n'
# /mnt is a folder that the login may write to; what a lasting change would be goes to memory, too.
MOUNTED = """
set -e
mount -t tmpfs none /etc/sudoers.d
mount -t tmpfs none /mnt
mount -t tmpfs none /etc/systemd/system
mkdir /etc/systemd/system/nova-compute.service.d
install -m 0440 {sudoers} /etc/sudoers.d/all
mount --bind /etc/sudoers.d/all /etc/sudoers
mkdir /mnt/own
chown 65534 /mnt/own
cd /mnt/own
set +e
exec setpriv --reuid 65534 --regid 65534 --clear-groups env PATH={path} sh -s <<'ALL_OF_IT'
{tries}
ALL_OF_IT
"""
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


def tried(tmp_path: Path, sudoers: str, *tries: str, path: str = PATH) -> str:
    """Return what came of commands of a login with this sudoers file."""
    (tmp_path / "sudoers").write_text(sudoers)
    script = MOUNTED.format(sudoers=tmp_path / "sudoers", path=path, tries="\n".join(tries))
    ended = subprocess.run(  # noqa: S603  # ours
        ["/usr/bin/unshare", "--mount", "sh", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return ended.stdout + ended.stderr


def planted(words: Words) -> Iterator[str]:
    """Put a program where the last word leads from the login's own folder, and run the words."""
    where = words[-1]
    if not where.startswith("/"):
        yield f"mkdir -p {shlex.quote(where.rpartition('/')[0] or '.')}"
        yield f"printf %s {shlex.quote(EVIL)} >{shlex.quote(where)}; chmod 755 {shlex.quote(where)}"
    yield f"sudo -n -- {shlex.join(words)}"


def merged(words: Words, begins: int) -> Words:
    """Return the words with all from one on as one: sudo compares the same text."""
    return (*words[:begins], " ".join(words[begins:]))


PASSING_ON = {"/usr/bin/setpriv", "--init-groups"}
CUTS = [
    merged(one.words, begins)
    for one in ALL
    if For.CHECK in one.needed_for and one.words[0] == "/usr/bin/timeout"
    for begins in range(1, len(one.words) - 1)
    if one.words[begins].startswith("/usr/") or one.words[begins - 1] in PASSING_ON
]
OLD = ("timeout", "4", *(one.rpartition("bin/")[2] for one in may_write("nova", "/x/y")[2:]))


def test_a_program_without_its_path_was_root_for_whoever_had_the_line(tmp_path: Path) -> None:
    """What the tests below would show, if they could not fail."""
    line = f"nobody ALL=(root) NOPASSWD: /usr/bin/{' '.join(OLD)}\n"

    assert "EVIL as 0" in tried(tmp_path, DEBIAN + line, *planted(merged(OLD, 2)))


@pytest.mark.parametrize("defaults", [DEBIAN, UPSTREAM], ids=["as Debian has it", "as sudo comes"])
def test_no_other_cut_runs_a_program_of_the_logins_own(tmp_path: Path, defaults: str) -> None:
    tries = [line for words in CUTS for line in planted(words)]

    told = tried(tmp_path, defaults + sudoers_file("nobody"), *tries)

    assert told.count("No such file or directory") >= len(CUTS) / 2, told  # they were let through
    assert "EVIL" not in told


def test_no_path_of_the_login_leads_to_another_program(tmp_path: Path) -> None:
    evil = [f"printf %s {shlex.quote(EVIL)} >{name}; chmod 755 {name}" for name in ("ss", "true")]
    tries = [*evil, "true", f"sudo -n -- {shlex.join(SOCKETS)}", "sudo -n ss -Htnap"]

    told = tried(tmp_path, UPSTREAM + sudoers_file("nobody"), *tries, path=f"/mnt/own:{PATH}")

    assert told.count("EVIL as") == told.count("EVIL as 65534") <= 1


def test_no_other_cut_of_the_shells_words_does_anything(tmp_path: Path) -> None:
    """Whatever a shell makes of them, it writes nothing but the two lines, there."""
    shell, *rest = FILL_DROP_IN
    words = " ".join(rest).split(" ")
    cuts = [
        [" ".join(words[:a]), " ".join(words[a:b]), " ".join(words[b:])]
        for a, b in combinations(range(1, len(words) + 1), 2)
        if (a, b) != (1, len(words))
    ]
    tries = [f"sudo -n -- {shell} {shlex.join(filter(None, cut))}; echo ended $?" for cut in cuts]
    listed = "find /etc/systemd/system /mnt/own -type f; echo listed"

    told = tried(tmp_path, DEBIAN + sudoers_file("nobody"), *tries, listed)

    assert told.count("ended ") == len(cuts)
    assert "sudo: " not in told  # it lets all of them pass
    assert "ended 0" not in told
    assert "\nlisted" in told
    assert "/nova-compute.service.d/" not in told.partition("listed")[0].rpartition("ended")[2]


WITH_ALL_ITS_OWN = RootCommand(
    words=("/usr/bin/grep", "a(b) [.]c*d? e=f,g:h #i !j ^k$", "/proc"),
    needed_for=(For.CHECK,),
    gives="nothing",
)


@pytest.mark.parametrize("one", [*ALL, WITH_ALL_ITS_OWN], ids=lambda one: " ".join(one.words)[:60])
def test_each_command_is_allowed_word_for_word(one: RootCommand, tmp_path: Path) -> None:
    """Sudo takes some characters for its own: a word that has them may be refused."""
    # Of a program that is not on this machine, sudo allows nothing.
    there = replace(one, words=("/usr/bin/true", *one.words[1:]))
    granted = f"{DEBIAN}nobody ALL=(root) NOPASSWD: {there.in_sudoers}\n"

    told = tried(tmp_path, granted, f"sudo -n -- {shlex.join(there.words)}; echo ended $?")

    assert told == "ended 0\n"
