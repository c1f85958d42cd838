"""Logs that were collected, as the port `LogSource`: a folder for each node, or a tar of that.

The scanner runs here as it does on a node, over the files of one node. A tar is spread out into a
temporary folder, which is gone afterwards; no link in it is followed out of it.
"""

import json
import marshal
import os
import re
import shutil
import stat
import sys
import tarfile
import tempfile
import zoneinfo
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache, lru_cache
from pathlib import Path

from stackward.adapters.ssh.processes import Closed, Cut, NotInTime, Processes, TooMuch
from stackward.errors import BadInput, NotStarted, Uncertain
from stackward.model.clock_offset import Offset
from stackward.model.values import Json
from stackward.ports.log_source import as_given

UTC = "UTC"
_LOGS = "var/log"  # below a node's own root
_NAMES = ("etc/hostname", "hostname", "sos_commands/host/hostname")
_SOS = "sosreport-"  # begins the folder of a report, with the node's name behind it
_SERVICES = (  # folders below /var/log
    *("nova", "neutron", "cinder", "glance", "keystone", "placement", "swift", "kolla"),
    *("rabbitmq", "mysql", "mariadb", "libvirt", "openvswitch", "ovn", "apache2", "haproxy"),
)
_ZONE = "etc/timezone"
_LINK = "etc/localtime"
_ZONES = "zoneinfo/"
_TIMEDATECTL = ("sos_commands/systemd/timedatectl", "sos_commands/systemd/timedatectl_status")
_WANTED = "name a folder or a tar of collected logs"
_UNPACK = "collect it once more; or unpack what is whole of it (`tar -x`), and name that folder"
_MOST = 64 * 1024  # of a small file that is read here


# As on a node, but by the same Python as this: so the scanner, which needs the standard library
# only, is compiled once for all folders.
_HERE = (
    "import binascii,marshal,sys;s=sys.stdin.buffer;"
    "exec(marshal.loads(binascii.a2b_base64(s.read(int(s.readline())))))"
)


@lru_cache(maxsize=1)
def _compiled(script: str) -> str:
    return b64encode(marshal.dumps(compile(script, "stackward", "exec"))).decode()


class Collected:
    """The folders of nodes; close it to remove what was unpacked."""

    def __init__(self, roots: Mapping[str, Path], zone: str | None = None) -> None:
        self._roots = dict(roots)
        self._zone = zone
        self._processes = Processes()

    @property
    def nodes(self) -> Sequence[str]:
        """Return the nodes whose logs there are."""
        return tuple(self._roots)

    @property
    def is_collected(self) -> bool:
        """Say that nothing is asked of a cloud."""
        return True

    def scan(self, node: str, script: str, asked: Mapping[str, Json], *, within_s: float) -> str:
        """Run the scanner over the files of a node."""
        root = self._roots[node]
        given = as_given(_compiled(script), json.dumps({**asked, "root": str(root)}))
        zone = self._zone or _zone_of(root)
        words = ["env", f"TZ={zone}", "LC_ALL=C", sys.executable, "-I", "-S", "-c", _HERE]
        try:
            answer = self._processes.run(words, given, within_s)
        except OSError as error:
            raise NotStarted(f"the logs of `{node}` were not read", says=str(error)) from error
        except (NotInTime, TooMuch, Cut, Closed) as error:
            raise Uncertain(f"the logs of `{node}` were not read in time") from error
        if answer.code != 0:
            raise Uncertain(f"the logs of `{node}` were not read", says=answer.err.strip() or None)
        return answer.out

    def offset(self, node: str, /) -> Offset | None:  # noqa: ARG002  # of no node it is known
        """Say that the clocks are not known now."""
        return None

    def close(self) -> None:
        """End what still runs."""
        self._processes.close()


@contextmanager
def open_collected(given: Path, zone: str | None = None) -> Iterator[Collected]:
    """Open a folder or a tar of collected logs.

    Raises BadInput where it is neither, or holds no files.
    """
    if zone is not None and zone not in _zones():
        raise BadInput(
            f"there is no time zone `{zone}`", hint="name one such as `Europe/Berlin` or `UTC`"
        )
    with _spread_out(given) as folder:
        source = Collected(nodes_in(folder, given.name), zone)
        try:
            yield source
        finally:
            source.close()


@contextmanager
def _spread_out(given: Path) -> Iterator[Path]:
    if given.is_dir():
        yield given
        return
    if not given.exists():
        raise BadInput(f"there is no `{given}`", hint=_WANTED)
    if not given.is_file():  # a fifo is waited for without an end
        raise BadInput(f"`{given}` is neither a folder nor a plain file", hint=_WANTED)
    folder = Path(tempfile.mkdtemp(prefix="stackward-logs-"))
    try:
        _extract(given, folder)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _extract(given: Path, folder: Path) -> None:
    try:
        with _begun(given) as archive:
            for member in archive:
                if member.isdir() or member.isreg():
                    archive.extract(member, folder, filter="data")
    except (tarfile.ReadError, EOFError) as error:
        raise BadInput(f"`{given}` is broken off", says=str(error) or None, hint=_UNPACK) from error
    except tarfile.TarError as error:
        raise BadInput(
            f"`{given}` cannot be read as a tar of logs", says=str(error) or None, hint=_WANTED
        ) from error
    except OSError as error:
        raise BadInput(f"`{given}` cannot be read", says=str(error) or None) from error


def _begun(given: Path) -> tarfile.TarFile:
    """Open a tar; if it is none, the library's words are a line for each way to pack one."""
    try:
        return tarfile.open(given)
    except (tarfile.ReadError, EOFError) as error:
        raise BadInput(f"`{given}` is no tar", hint=_WANTED) from error


def nodes_in(folder: Path, name: str) -> dict[str, Path]:
    """Return the folder of each node: the given folder, if it is one, otherwise those in it.

    Raises BadInput where there is no file at all.
    """
    try:
        # A report in a tar is one folder, and in it that of its node.
        while not _is_node(folder) and len(inside := sorted(folder.iterdir())) == 1:
            if _is_node(inside[0]):
                break
            folder, name = inside[0], inside[0].name
        folders = [each for each in sorted(folder.iterdir()) if each.is_dir()]
        is_one = _is_node(folder)
    except OSError as error:
        raise BadInput(f"`{folder}` cannot be read", says=str(error)) from error
    if is_one and not (folders and not _has_logs(folder)):
        return {_name_of(folder, name): folder}
    roots: dict[str, Path] = {}
    for each in folders:
        roots[_unused(_name_of(each, each.name), roots)] = each
    if not roots:
        raise BadInput(
            f"there are no logs in `{folder}`",
            hint="it holds a folder for each node, or the files of one",
        )
    return roots


def _has_logs(folder: Path) -> bool:
    """Say whether a folder has what a node has: `/var/log`, or folders of services."""
    return (folder / _LOGS).is_dir() or any((folder / name).is_dir() for name in _SERVICES)


def _is_node(folder: Path) -> bool:
    """Say whether a folder is that of one node: its files lie in it, or in folders of services."""
    return _has_logs(folder) or any(each.is_file() for each in folder.iterdir())


def _unused(name: str, roots: Mapping[str, Path]) -> str:
    number, tried = 2, name
    while tried in roots:
        tried, number = f"{name}-{number}", number + 1
    return tried


def _name_of(folder: Path, name: str) -> str:
    if (folder / _LOGS).is_dir():
        for each in _NAMES:
            if word := _first_word(folder / each):
                return word
    if name.startswith(_SOS):
        return name.removeprefix(_SOS).split("-")[0]
    return name.removesuffix(".gz").removesuffix(".xz").removesuffix(".tgz").removesuffix(".tar")


def _zone_of(root: Path) -> str:
    """Return the time zone of a node, if that was collected; otherwise UTC."""
    words = [_first_word(root / _ZONE)]
    with suppress(OSError):  # a link in a folder is not followed: its words are what counts
        words.append(str((root / _LINK).readlink()).rpartition(_ZONES)[2])
    for each in _TIMEDATECTL:
        found = re.search(r"Time ?zone: (\S+)", _text_of(root / each))
        words += [found[1]] if found else []
    return next((word for word in words if word in _zones()), UTC)


@cache
def _zones() -> set[str]:
    """Return the zones that this machine knows: it has a file for each, which takes time to see."""
    return zoneinfo.available_timezones()


def _first_word(file: Path) -> str:
    """Return the first word of a file; none where it cannot be read."""
    return next(iter(_text_of(file).split()), "")


def _text_of(file: Path) -> str:
    """Return the beginning of a plain file; nothing where it cannot be read."""
    try:
        opened = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(opened, "rb") as stream:
            is_plain = stat.S_ISREG(os.fstat(opened).st_mode)
            return stream.read(_MOST).decode("utf-8", "replace") if is_plain else ""
    except OSError:
        return ""
