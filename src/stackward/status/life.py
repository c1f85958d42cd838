"""How alive a node is, by what each source says of it: one table, the first row that fits.

A heartbeat is a memory: Nova and Neutron call a process up for a minute after it was heard. What
answers now is alive now. What is not known is never taken for dead.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from stackward.model.witness import Sign


class Life(StrEnum):
    """How a node is; the words are stored as a decision of a plan."""

    DEAD = "dead"  # its device says Off, and nothing answers
    CUT_OFF = "cut off"  # it has power, and nothing answers
    HUNG = "hung"  # its kernel answers, and nothing else
    COMPUTE_DEAD = "nova-compute dead on a living node"
    NO_SSH = "well for Nova, but no ssh"
    WELL = "well"
    NOT_YET_KNOWN = "silent, and still called up"  # a heartbeat may be a memory
    UNKNOWN = "unknown"
    CONTRADICTED = "alive, while its device says Off"

    @property
    def is_living(self) -> bool:
        """Say whether its guests must be named before their power is cut."""
        return self not in {Life.DEAD, Life.CUT_OFF, Life.HUNG}


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """What each source says of a node."""

    heartbeat: Sign = Sign.UNKNOWN  # Nova calls its nova-compute up
    rpc: Sign = Sign.UNKNOWN  # nova-compute answers a call
    ssh: Sign = Sign.UNKNOWN  # it runs a command for us
    ping: Sign = Sign.UNKNOWN  # it answers at one of its addresses
    power: Sign = Sign.UNKNOWN  # its device says On
    agent: Sign = Sign.UNKNOWN  # Neutron calls one of its agents alive
    libvirt: Sign = Sign.UNKNOWN  # libvirt there answers

    @property
    def answers_now(self) -> bool:
        """Say whether anything of it answers at this moment."""
        return Sign.YES in {self.rpc, self.ssh, self.ping, self.libvirt}

    @property
    def is_silent_now(self) -> bool:
        """Say whether it was called, and nothing answered."""
        return {self.ssh, self.ping} == {Sign.NO} and not self.answers_now


def judge_life(signs: Signs) -> Life:
    """Say how alive a node is."""
    return next((life for life, fits in _ROWS if fits(signs)), Life.UNKNOWN)


_ROWS: tuple[tuple[Life, Callable[[Signs], bool]], ...] = (
    (Life.CONTRADICTED, lambda one: one.power is Sign.NO and one.answers_now),
    (
        Life.COMPUTE_DEAD,
        lambda one: one.ssh is Sign.YES and Sign.NO in {one.heartbeat, one.rpc},
    ),
    (Life.WELL, lambda one: {one.ssh, one.heartbeat, one.rpc} == {Sign.YES}),
    (Life.NO_SSH, lambda one: one.ssh is Sign.NO and one.rpc is Sign.YES),
    (
        Life.HUNG,
        lambda one: one.ping is Sign.YES and {one.ssh, one.rpc} == {Sign.NO},
    ),
    (Life.DEAD, lambda one: one.is_silent_now and one.power is Sign.NO),
    (
        Life.NOT_YET_KNOWN,
        lambda one: one.is_silent_now and Sign.YES in {one.heartbeat, one.agent},
    ),
    (
        Life.CUT_OFF,
        lambda one: one.is_silent_now and one.power is Sign.YES and one.heartbeat is Sign.NO,
    ),
)
