"""What every `LogSource` promises: asked of nodes, and of logs that were collected."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from stackward.adapters.together import Threads
from stackward.anatomy import read_anatomy
from stackward.errors import StackwardError, Uncertain
from stackward.facts.logs import as_asked, parse_scan, places_of, script
from stackward.logs.event import Raw
from stackward.logs.reading import NodeRead
from stackward.model.values import Json
from stackward.ports.log_source import LogSource

PLACES = places_of(read_anatomy())
HEAD = "2026-11-27 22:50:00.000 7"
SLOW = "import time; time.sleep(60)"


@dataclass(frozen=True)
class LogsAtWork:
    """A source, one of its nodes, and where a test writes what that has logged."""

    source: LogSource
    node: str
    folder: Path
    places: Sequence[str]  # the same folder, as the scanner is told of it

    def write(self, name: str, content: bytes) -> None:
        """Let the node have a log."""
        (self.folder / name).write_bytes(content)

    def asked(self, words: Sequence[str] = ()) -> Mapping[str, Json]:
        """Return what the scanner is asked: all events, or those with one of the words."""
        return {
            **as_asked(PLACES, level=None, words=words),
            "places": list(self.places), "units": [], "journal": False, "since": None,
            "until": None, "bytes": 1 << 20, "within_s": 20.0,
        }  # fmt: skip

    def scan(self, words: Sequence[str] = ()) -> tuple[NodeRead, list[Raw]]:
        """Let the scanner read the logs of the node."""
        out = self.source.scan(self.node, script(), self.asked(words), within_s=60)
        return parse_scan(self.node, out, PLACES)


class LogSourceContract:
    """Tests; a subclass gives the fixture `at_work`."""

    def test_the_node_is_one_of_those_whose_logs_there_are(self, at_work: LogsAtWork) -> None:
        assert at_work.node in at_work.source.nodes

    def test_the_scanner_is_run_and_asked(self, at_work: LogsAtWork) -> None:
        at_work.write("nova-compute.log", f"{HEAD} INFO a [-] one\n{HEAD} INFO a two\n".encode())

        read, events = at_work.scan(["two"])

        assert read.is_whole
        assert [(one.node, one.component, one.text) for one in events] == [
            (at_work.node, "nova-compute", f"{HEAD} INFO a two")
        ]
        assert [Path(one.path).name for one in read.files] == ["nova-compute.log"]

    def test_all_bytes_of_a_log_come_home(self, at_work: LogsAtWork) -> None:
        at_work.write("nova-compute.log", f"{HEAD} INFO a [-] ".encode() + b"\xff\x00 \xc3\xa9\n")

        _, [event] = at_work.scan()

        assert event.text == f"{HEAD} INFO a [-] \\xff\x00 é"

    def test_what_is_not_read_is_named_and_all_else_is_read(self, at_work: LogsAtWork) -> None:
        at_work.write("nova-compute.log", f"{HEAD} INFO a [-] one\n".encode())
        (at_work.folder / "out.log").symlink_to("/etc/hostname")

        read, events = at_work.scan()

        assert ("out.log" in "".join(read.refused), len(events)) == (True, 1)
        assert not read.is_whole

    def test_a_node_without_logs_is_read_and_has_none(self, at_work: LogsAtWork) -> None:
        read, events = at_work.scan()

        assert (read.files, read.unread, events) == ((), None, [])

    def test_a_scanner_that_breaks_is_uncertain_in_its_own_words(self, at_work: LogsAtWork) -> None:
        with pytest.raises(Uncertain) as caught:
            at_work.source.scan(at_work.node, "1 / 0\n", {}, within_s=60)

        assert "ZeroDivisionError" in str(caught.value.says)

    def test_one_that_takes_too_long_is_given_up(self, at_work: LogsAtWork) -> None:
        with pytest.raises(StackwardError):
            at_work.source.scan(at_work.node, SLOW, {}, within_s=0.5)

    def test_several_are_run_at_once(self, at_work: LogsAtWork) -> None:
        at_work.write("nova-compute.log", f"{HEAD} INFO a [-] one\n".encode())

        told = Threads().ask(dict.fromkeys(range(4), at_work.scan), within_s=60, at_once=4)

        assert [len(each[1]) for each in told.values() if each] == [1] * 4

    def test_an_offset_of_a_clock_is_measured_once_or_never(self, at_work: LogsAtWork) -> None:
        found = at_work.source.offset(at_work.node)

        assert at_work.source.offset(at_work.node) is found
        assert (found is None) is at_work.source.is_collected
        assert found is None or abs(found.ahead_s) <= found.error_s + 0.1
