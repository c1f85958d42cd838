"""What logs are read into: events, on their nodes and at their times."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum


class Level(IntEnum):
    """How grave an event is, in the words of its writer."""

    DEBUG = 10
    INFO = 20
    WARNING = 30
    ERROR = 40
    CRITICAL = 50

    @property
    def word(self) -> str:
        """Return it as people and programs read it."""
        return self.name.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """The lines of one event, as they were found on a node."""

    node: str
    component: str
    file: str  # where it was read; `journal` for the journal
    offset: int  # in bytes, from the beginning of the file
    at: datetime  # by the node's clock, in UTC
    format: str  # the name of its entry in `formats.py`
    text: str  # the header and all lines that continue it
    is_cut: bool = False  # there was more of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One call of a traceback."""

    file: str
    line: int
    function: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """An exception of a traceback, with the calls that led to it; the innermost is the last."""

    exception: str
    message: str
    frames: tuple[Frame, ...] = ()
    code: tuple[str, ...] = ()  # of each frame the line of code; empty where none was written
    is_remote: bool = False  # another process raised it, and sent it over RPC


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that a process has logged: a header, and all that continues it."""

    at: datetime  # in UTC, the measured offset of the node's clock taken off
    node: str
    component: str
    file: str
    offset: int
    format: str
    level: Level
    message: str  # the first line, without its header
    module: str = ""
    pid: str = ""
    request: str | None = None  # its own id
    global_request: str | None = None  # that of the request which led to it
    user: str | None = None  # None: nobody asked for it, such as periodic work
    server: str | None = None
    more: tuple[str, ...] = ()  # the lines after the first
    raised: tuple[Raised, ...] = ()  # the chain of causes, the first cause first
    is_cut: bool = False
    error_s: float = 0.0  # how far the node's clock may be off, once its offset is taken off
    resolution_s: float = 0.001  # how finely its line gives the time

    @property
    def exception(self) -> str | None:
        """Return what ended it: the last exception of its traceback."""
        return self.raised[-1].exception if self.raised else None

    @property
    def place(self) -> tuple[str, str]:
        """Return where it was logged: the node and the component."""
        return self.node, self.component

    @property
    def written_at(self) -> tuple[str, str, int]:
        """Return where it is written: the node, the file, and where in that it begins."""
        return self.node, self.file, self.offset
