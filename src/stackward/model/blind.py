"""Why something could not be looked at."""

from enum import StrEnum


class Blind(StrEnum):
    """Why something could not be looked at; each asks for another remedy."""

    UNREACHABLE = "unreachable"  # no way to it
    SETTINGS = "ssh settings"  # the ssh of this machine did not begin: it refuses its settings
    NO_SSHD = "no sshd"  # its address answers, and nothing listens there
    REFUSED = "refused"  # it answers, and does not let us in
    KEY_UNKNOWN = "host key unknown"  # nobody has said that it is the machine that it should be
    KEY_CHANGED = "host key changed"  # it has another key than the one that is known
    SILENT = "silent"  # no answer in time
    LATE = "late"  # not answered within our own limit, which a busy machine may need more than
    USELESS = "useless"  # the login works, but it cannot answer
    UNKNOWN = "unknown"  # nobody knows how to reach it: it was not asked
    NOT_ASKED = "not asked"  # no time was left to ask it
    ODD = "odd"  # it answers in a shape that we do not know
