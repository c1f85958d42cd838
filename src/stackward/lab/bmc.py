"""The BMCs of the lab's nodes: what one is, how to ask it, and the faults it can be given.

The service that answers is `bmc_server`; only its own process imports it, because it brings a web
framework along.
"""

import base64
import http.client
import json
import tempfile
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from pathlib import Path
from typing import Protocol, Self

import bcrypt

from stackward.errors import BadInput, Refused, StackwardError, StepFailed, Uncertain, Unreachable
from stackward.wording import count_of

READ_TIMEOUT_S = 10.0
ORDER_TIMEOUT_S = 60.0  # a power-off answers only when the node is dead, a restart when it boots
LONGEST_PASSWORD = 72  # bytes; bcrypt looks at no more
# The least that bcrypt takes: about 1 ms. Every request is checked, on a machine that runs a whole
# cloud. The password guards only what the file next to it guards.
BCRYPT_ROUNDS = 4


class PowerState(StrEnum):
    """Whether a node has power, in Redfish's words."""

    ON = "On"
    OFF = "Off"


class ResetType(StrEnum):
    """A power order, in Redfish's words."""

    ON = "On"
    FORCE_ON = "ForceOn"
    FORCE_OFF = "ForceOff"
    GRACEFUL_SHUTDOWN = "GracefulShutdown"
    FORCE_RESTART = "ForceRestart"
    GRACEFUL_RESTART = "GracefulRestart"


class Chassis(Protocol):
    """The node as its BMC meets it: power and a button.

    What cannot be done is raised as a StackwardError or an OSError.
    """

    name: str

    def is_on(self) -> bool:
        """Say whether any process of the node lives, never from memory."""

    def power_on(self) -> None:
        """Boot the node; return once `is_on` says so, at the latest.

        The node must outlive the caller: no pipe, session or parent-death signal in common.
        """

    def cut_power(self) -> None:
        """Kill the node, as a power cut would; return once every process of it is gone."""

    def press_power_button(self) -> None:
        """Ask the node for a clean shutdown, and return at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bmc:
    """One node's BMC: where it listens and who may use it. The password is not part of it."""

    node: str
    address: str
    port: int
    system_uuid: str
    user: str
    auth_file: Path
    fault_file: Path
    macs: tuple[str, ...] = ()  # of the node's network cards

    @property
    def system_path(self) -> str:
        """The Redfish resource of the node."""
        return f"/redfish/v1/Systems/{self.system_uuid}"

    @property
    def reset_path(self) -> str:
        """Where power orders go."""
        return f"{self.system_path}/Actions/ComputerSystem.Reset"

    @property
    def url(self) -> str:
        """The address to give to a Redfish client."""
        return f"http://{self.address}:{self.port}"


# --- faults: what the BMC itself does wrong ---


class FaultKind(StrEnum):
    """How a BMC misbehaves."""

    DEAF = "deaf"  # takes connections, answers nothing
    STUCK = "stuck"  # answers reads truthfully, accepts power orders, executes none
    SLOW = "slow"  # does everything, and answers late
    LIES_OFF = "lies-off"  # after an order to cut the power, it always says Off, and cuts nothing
    WRONG_NODE = "wrong-node"  # its cable goes to another node: that one it shows and switches


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault and, if it is slowness, by how much; if it is a wrong cable, to which node."""

    kind: FaultKind
    late_by_s: float = 0.0
    node: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the text of a fault file, as the hint below has it."""
        try:
            match text.split():
                case [FaultKind.SLOW, seconds] if 0 < float(seconds) < float("inf"):
                    return cls(FaultKind.SLOW, float(seconds))
                case [FaultKind.WRONG_NODE, node]:
                    return cls(FaultKind.WRONG_NODE, node=node)
                case [FaultKind.DEAF | FaultKind.STUCK | FaultKind.LIES_OFF as kind]:
                    return cls(FaultKind(kind))
        except ValueError:
            pass  # the number is none; said below
        raise BadInput(
            f"no BMC fault is called `{text.strip()}`",
            hint="the faults are `deaf`, `stuck`, `slow SECONDS`, `lies-off` and `wrong-node NODE`",
        )

    @property
    def text(self) -> str:
        """The text of a fault file."""
        match self.kind:
            case FaultKind.SLOW:
                return f"{self.kind} {self.late_by_s:g}"
            case FaultKind.WRONG_NODE:
                return f"{self.kind} {self.node}"
            case _:
                return self.kind


def read_fault(bmc: Bmc) -> Fault | None:
    """Return the fault that the BMC has now, if any; an empty file has no fault."""
    try:
        text = bmc.fault_file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    return Fault.parse(text) if text.strip() else None


def break_bmc(bmc: Bmc, fault: Fault) -> None:
    """Give the BMC a fault, from its next request on."""
    _write_private(bmc.fault_file, f"{fault.text}\n")


def mend_bmc(bmc: Bmc) -> None:
    """Take the BMC's fault away; what it has not answered by then, it never will."""
    bmc.fault_file.unlink(missing_ok=True)


# --- who may use it ---


def write_auth_file(path: Path, user: str, password: str) -> None:
    """Write the htpasswd file that lets `user` in; it holds a bcrypt hash, with mode 0600."""
    if not user.isprintable() or not user or ":" in user:
        raise BadInput(f"{user!a} cannot be a BMC user", hint="leave out `:` and line ends")
    secret = password.encode()
    if not 0 < len(secret) <= LONGEST_PASSWORD:
        raise BadInput(
            f"the password of BMC user `{user}` has {count_of(len(secret), 'byte')}",
            hint=f"take 1 to {LONGEST_PASSWORD} bytes",
        )
    hashed = bcrypt.hashpw(secret, bcrypt.gensalt(BCRYPT_ROUNDS)).decode()
    _write_private(path, f"{user}:{hashed}\n")


def _write_private(path: Path, text: str) -> None:
    # whole or not at all: the service may read at any moment
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False
    ) as draft:
        draft.write(text)
    Path(draft.name).replace(path)


# --- asking it ---


def power_state(bmc: Bmc, password: str, *, timeout_s: float = READ_TIMEOUT_S) -> PowerState:
    """Ask the BMC whether its node has power."""
    answer = _ask(bmc, password, timeout_s)
    try:
        return PowerState(json.loads(answer)["PowerState"])
    except (ValueError, KeyError, TypeError) as unclear:
        raise StepFailed(
            f"the BMC of `{bmc.node}` does not say whether the node is on",
            says=answer.decode(errors="replace")[:200],
        ) from unclear


def shown_node(bmc: Bmc, password: str, *, timeout_s: float = READ_TIMEOUT_S) -> str:
    """Ask the BMC which node it shows: its own, unless it is cabled to another."""
    answer = _ask(bmc, password, timeout_s)
    try:
        return str(json.loads(answer)["Name"])
    except (ValueError, KeyError, TypeError) as unclear:
        raise StepFailed(
            f"the BMC of `{bmc.node}` does not say which node it shows",
            says=answer.decode(errors="replace")[:200],
        ) from unclear


def reset(bmc: Bmc, password: str, order: ResetType, *, timeout_s: float = ORDER_TIMEOUT_S) -> None:
    """Give the BMC a power order; after FORCE_OFF the node is dead, if the BMC is honest.

    Its answer is not proof: ask `power_state` after it.
    """
    _ask(bmc, password, timeout_s, order)


def _ask(bmc: Bmc, password: str, timeout_s: float, order: ResetType | None = None) -> bytes:
    """Read the system, or give it an order; `timeout_s` holds for each wait on the network."""
    credentials = base64.b64encode(f"{bmc.user}:{password}".encode()).decode()
    headers = {"Authorization": f"Basic {credentials}", "Content-Type": "application/json"}
    with closing(http.client.HTTPConnection(bmc.address, bmc.port, timeout=timeout_s)) as line:
        try:
            line.connect()
        except OSError as gone:
            raise Unreachable(
                f"no BMC of `{bmc.node}` at {bmc.address}:{bmc.port}", says=_in_words(gone)
            ) from gone
        try:
            if order is None:
                line.request("GET", bmc.system_path, headers=headers)
            else:
                line.request("POST", bmc.reset_path, json.dumps({"ResetType": order}), headers)
            response = line.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as lost:
            raise _no_answer(bmc, order, _in_words(lost)) from lost
    if not HTTPStatus.OK <= response.status < HTTPStatus.MULTIPLE_CHOICES:
        raise _not_done(bmc, order, response.status, content)
    return content


def _no_answer(bmc: Bmc, order: ResetType | None, says: str) -> StackwardError:
    if order is None:
        return Unreachable(f"the BMC of `{bmc.node}` does not answer", says=says)
    return Uncertain(
        f"the BMC of `{bmc.node}` did not answer to `{order}`",
        says=says,
        stands="the order may have been carried out",
        hint="look at the node's power state before repeating it",
    )


def _not_done(bmc: Bmc, order: ResetType | None, status: int, content: bytes) -> StackwardError:
    try:
        says = str(json.loads(content)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        says = content.decode(errors="replace")[:200]
    match status:
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            return Refused(f"the BMC of `{bmc.node}` does not let `{bmc.user}` in", says=says)
        case HTTPStatus.CONFLICT:
            return Refused(
                f"the BMC of `{bmc.node}` is busy", says=says, hint="wait, then ask again"
            )
        case _ if status < HTTPStatus.INTERNAL_SERVER_ERROR:
            return Refused(f"the BMC of `{bmc.node}` refused ({status})", says=says)
        case _:
            return StepFailed(
                f"the BMC of `{bmc.node}` failed ({status})",
                says=says,
                hint=order and f"`{order}` may be half done: look at the node's power state",
            )


def _in_words(error: Exception) -> str:
    return str(error) or type(error).__name__
