"""Serve the Redfish BMCs of a lab's nodes: sushy-tools' emulator, with nodes that really die.

One parent imports the emulator and forks one child for each BMC. So each BMC is a service of its
own that can be deaf or die alone, and they share their memory. It keeps no state: what a BMC shows
is read from its node each time. It ends by SIGTERM to the parent, which does not touch the nodes.
"""

import ctypes
import gc
import json
import logging
import os
import select
import signal
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from ipaddress import ip_address
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

import flask
from sushy_tools import error
from sushy_tools.emulator import auth_basic, memoize
from sushy_tools.emulator import main as emulator
from sushy_tools.emulator.resources.systems.base import AbstractSystemsDriver
from werkzeug.datastructures import Authorization
from werkzeug.serving import WSGIRequestHandler, make_server

from stackward.errors import BadInput, Refused, StackwardError, StepFailed
from stackward.lab.bmc import Bmc, Chassis, FaultKind, PowerState, ResetType, read_fault

if TYPE_CHECKING:
    from types import TracebackType
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)

PR_SET_PDEATHSIG, PR_SET_NAME = 1, 15
WATCHED = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)
DEATHS = 5  # after this number of one BMC within DEATHS_WITHIN_S, it is given up
DEATHS_WITHIN_S = 60.0
LOOK_EVERY_S = 0.1
CLEAN_STOP_S = 120.0  # a graceful restart whose shutdown takes longer boots nothing
OPEN_PATHS = frozenset({"", "redfish", "redfish/v1"})  # the service root asks nobody's name


def serve(bmcs: Sequence[Bmc], chassis_of: Callable[[str], Chassis]) -> None:
    """Serve all `bmcs`, each by a child process, until SIGTERM or SIGINT.

    `chassis_of` is called with the node's name, in the child that serves the node.

    Raises Refused when an address cannot be had, StepFailed when every BMC has been given up.
    """
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")
    log.setLevel(logging.INFO)
    with ExitStack() as listeners:
        services = [Service(bmc, listeners.enter_context(listen(bmc))) for bmc in bmcs]
        prepare_emulator()
        blocked_before = signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
        running: dict[int, Service] = {}
        try:
            for service in services:
                running[start(service, services, chassis_of)] = service
            while running:
                if signal.sigwait(WATCHED) != signal.SIGCHLD:
                    return
                for dead in reap(running):
                    if dead.may_start_again():
                        running[start(dead, services, chassis_of)] = dead
                    else:
                        log.error("BMC given up node=%s deaths=%d", dead.bmc.node, DEATHS)
                        dead.listener.close()
        finally:
            end(running)
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked_before)
    raise StepFailed("no BMC of the lab is left", hint="the log of the BMCs says why they died")


# --- the parent: one child for each BMC ---


@dataclass(frozen=True, slots=True, eq=False)
class Service:
    """A BMC with its listening socket, which outlives the child that serves it."""

    bmc: Bmc
    listener: socket.socket
    deaths: deque[float] = field(default_factory=lambda: deque(maxlen=DEATHS))

    def may_start_again(self) -> bool:
        """Count a death; say whether they are still few."""
        self.deaths.append(time.monotonic())
        return len(self.deaths) < DEATHS or self.deaths[-1] - self.deaths[0] > DEATHS_WITHIN_S


def listen(bmc: Bmc) -> socket.socket:
    """Return a socket that listens at the BMC's address, which never leaves this machine."""
    place = f"{bmc.address}:{bmc.port}"
    if not ip_address(bmc.address).is_loopback:
        raise Refused(
            f"the BMC of `{bmc.node}` cannot be served at {place}: others could reach it",
            hint="give it an address in 127.0.0.0/8",
        )
    try:
        return socket.create_server((bmc.address, bmc.port), backlog=64)
    except OSError as taken:
        raise Refused(
            f"the BMC of `{bmc.node}` cannot be served at {place}",
            says=taken.strerror,
            hint=f"`ss -ltnp src {bmc.address}` shows who listens there",
        ) from taken


def start(
    service: Service, services: Sequence[Service], chassis_of: Callable[[str], Chassis]
) -> int:
    """Fork the child that serves `service`, and return its process id."""
    parent = os.getpid()
    child = os.fork()
    if child:
        return child
    try:
        die_with(parent, name=f"bmc-{service.bmc.node}")
        for other in services:
            if other is not service:
                other.listener.close()
        # not before here: what a child starts, a node above all, must not inherit a blocked signal
        signal.pthread_sigmask(signal.SIG_UNBLOCK, WATCHED)
        answer_requests(service, [each.bmc for each in services], chassis_of)
    except KeyboardInterrupt:
        pass  # Ctrl-C reaches the parent too, and it ends them all
    except Exception:
        log.exception("BMC died node=%s", service.bmc.node)
    finally:
        os._exit(1)


def die_with(parent: int, *, name: str) -> None:
    """Have the kernel kill this process when its parent dies, in any way."""
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    libc.prctl(PR_SET_NAME, name.encode())
    if os.getppid() != parent:  # it died before we asked
        os._exit(1)


def reap(running: dict[int, Service]) -> list[Service]:
    """Take the dead out of `running` and return them."""
    dead = []
    for pid in list(running):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            service = running.pop(pid)
            code = os.waitstatus_to_exitcode(status)
            log.warning("BMC process ended node=%s pid=%d code=%d", service.bmc.node, pid, code)
            dead.append(service)
    return dead


def end(running: Iterable[int]) -> None:
    """End the children and wait for them; each dies at once, having nothing to save."""
    for pid in running:
        os.kill(pid, signal.SIGKILL)
    for pid in running:
        os.waitpid(pid, 0)


# --- the child: one BMC ---


def prepare_emulator() -> None:
    """Do once, before the children are forked, what each of them would have to do."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # without this, a line for each request
    memoize.PersistentDict = Forgetful
    emulator.app.after_request(list_what_works)
    for template in ("root.json", "system_collection.json", "system.json", "error.json"):
        emulator.app.jinja_env.get_template(template)
    gc.collect()
    gc.freeze()  # a collection in a child would copy the shared pages


def answer_requests(
    service: Service, bmcs: Sequence[Bmc], chassis_of: Callable[[str], Chassis]
) -> None:
    """Answer the BMC's requests; this does not return."""
    bmc = service.bmc
    own = NodeDriver(bmc, chassis_of(bmc.node))
    cabled = Cabled(own, {each.node: each for each in bmcs}, chassis_of)
    # sushy-tools 2.2 has no option for a driver of one's own; all its pages ask this property
    emulator.Application.systems = property(lambda _: cabled.driver())
    app = logged(faulty(guarded(emulator.app, bmc), bmc), bmc)
    make_server(
        bmc.address,
        bmc.port,
        app,
        threaded=True,
        request_handler=Patient,
        fd=service.listener.fileno(),
    ).serve_forever()


class Patient(WSGIRequestHandler):
    """Lets go of a client that connects and says nothing."""

    timeout = 60.0


class Forgetful(dict[object, object]):
    """In place of sushy-tools' SQLite files: LEDs and boot devices last as long as the process."""

    def make_permanent(self, *_where: object) -> None:
        """Keep nothing."""


class NodeDriver(AbstractSystemsDriver):  # type: ignore[misc]  # sushy-tools ships no types
    """Power of one node: read from the truth, changed by one order at a time.

    Invariant: once a power-off or any later order is answered, no earlier graceful restart boots
    the node later. Fencing depends on it.
    """

    def __init__(self, bmc: Bmc, chassis: Chassis) -> None:
        super().__init__()
        self._bmc = bmc
        self._chassis = chassis
        self._one_at_a_time = Lock()
        self._restart_called_off = (
            Event()
        )  # of the last graceful restart: it must boot the node no more
        self._boot_device, self._boot_mode = "Hdd", "UEFI"
        self._says_off = False  # since the order to cut the power, while it lies

    @property
    def bmc(self) -> Bmc:
        """The BMC that it is the driver of."""
        return self._bmc

    @property
    def driver(self) -> str:
        """What the emulator calls this in its log."""
        return "<lab node>"

    @property
    def systems(self) -> list[str]:
        """The one system."""
        return [self._bmc.system_uuid]

    def uuid(self, identity: str) -> str:
        """Return the system's id."""
        if identity != self._bmc.system_uuid:
            raise error.NotFound(f"this BMC knows no system {identity}")
        return self._bmc.system_uuid

    def name(self, identity: str) -> str:
        """Return the node's name."""
        self.uuid(identity)
        return self._bmc.node

    def get_nics(self, identity: str) -> list[dict[str, str]]:
        """Return the node's network cards."""
        self.uuid(identity)
        return [{"id": mac, "mac": mac} for mac in self._bmc.macs]

    def get_power_state(self, identity: str) -> str:
        """Return the truth; when it cannot be had, say so instead."""
        self.uuid(identity)
        if not has_fault(self._bmc, FaultKind.LIES_OFF):
            self._says_off = False
        if self._says_off:
            return PowerState.OFF
        try:
            return PowerState.ON if self._chassis.is_on() else PowerState.OFF
        except (StackwardError, OSError) as failed:
            raise error.FishyError(
                f"power state of {self._bmc.node} cannot be read: {in_words(failed)}"
            ) from failed

    def set_power_state(self, identity: str, state: str | None) -> None:
        """Carry out a power order; refuse what the list of allowed ones does not have."""
        self.uuid(identity)
        try:
            order = ResetType(state or "")
        except ValueError:
            allowed = ", ".join(ResetType)
            raise error.BadRequest(f"ResetType is {state!a}; allowed are {allowed}") from None
        fault = read_fault(self._bmc)
        if fault is not None and fault.kind is FaultKind.STUCK:
            log.info("fault shown node=%s fault=%s order=%s", self._bmc.node, fault.text, order)
            return
        if fault is not None and fault.kind is FaultKind.LIES_OFF:
            log.info("fault shown node=%s fault=%s order=%s", self._bmc.node, fault.text, order)
            self._says_off = order is ResetType.FORCE_OFF
            return
        if not self._one_at_a_time.acquire(blocking=False):
            raise error.Conflict(f"another power order for {self._bmc.node} is under way")
        try:
            self._carry_out(order)
        except (StackwardError, OSError) as failed:
            raise error.FishyError(
                f"{order} of {self._bmc.node} failed: {in_words(failed)}"
            ) from failed
        finally:
            self._one_at_a_time.release()

    def _carry_out(self, order: ResetType) -> None:
        match order:
            case ResetType.ON | ResetType.FORCE_ON:
                self._boot()
            case ResetType.FORCE_OFF:
                self._cut()
            case ResetType.GRACEFUL_SHUTDOWN:
                self._restart_called_off.set()
                self._press()
            case ResetType.FORCE_RESTART:
                self._cut()
                self._boot()
            case ResetType.GRACEFUL_RESTART if self._chassis.is_on():
                self._restart_called_off.set()
                self._press()
                self._restart_called_off = Event()
                Thread(
                    target=self._boot_when_off,
                    args=(self._restart_called_off,),
                    name=f"restart-{self._bmc.node}",
                    daemon=True,
                ).start()
            case ResetType.GRACEFUL_RESTART:
                self._boot()

    def _press(self) -> None:
        if self._chassis.is_on():
            self._chassis.press_power_button()

    def _boot(self) -> None:
        # a node that is still on may be on its way down in a graceful restart: that one boots it
        if not self._chassis.is_on():
            self._restart_called_off.set()
            self._chassis.power_on()

    def _cut(self) -> None:
        self._restart_called_off.set()
        self._chassis.cut_power()
        if self._chassis.is_on():
            raise StepFailed("its power was cut and it is still on")

    def _boot_when_off(self, called_off: Event) -> None:
        deadline = time.monotonic() + CLEAN_STOP_S
        try:
            while self._chassis.is_on():
                if called_off.wait(LOOK_EVERY_S) or time.monotonic() > deadline:
                    return
            with self._one_at_a_time:
                if not called_off.is_set():
                    self._chassis.power_on()
        except (StackwardError, OSError) as failed:
            log.error("restart failed node=%s why=%s", self._bmc.node, in_words(failed))  # noqa: TRY400  # the words say it

    def get_boot_device(self, identity: str) -> str:
        """Return what was set last; nothing boots from it."""
        self.uuid(identity)
        return self._boot_device

    def set_boot_device(self, identity: str, boot_source: str) -> None:
        """Remember it."""
        self.uuid(identity)
        self._boot_device = boot_source

    def get_boot_mode(self, identity: str) -> str:
        """Return what was set last."""
        self.uuid(identity)
        return self._boot_mode

    def set_boot_mode(self, identity: str, boot_mode: str) -> None:
        """Remember it."""
        self.uuid(identity)
        self._boot_mode = boot_mode


class Cabled:
    """Which node a BMC shows and switches: its own, except with the fault of a wrong cable.

    Every client finds it at the same address, by the same path and with the same login.
    """

    def __init__(
        self, own: NodeDriver, bmcs: Mapping[str, Bmc], chassis_of: Callable[[str], Chassis]
    ) -> None:
        self._own, self._bmcs, self._chassis_of = own, bmcs, chassis_of
        self._others: dict[str, NodeDriver] = {}

    def driver(self) -> NodeDriver:
        """Return what answers now; a node that is not in the rack has no cable."""
        bmc = self._own.bmc
        fault = read_fault(bmc)
        if fault is None or fault.kind is not FaultKind.WRONG_NODE:
            return self._own
        other = self._bmcs.get(fault.node)
        if other is None:
            raise error.FishyError(f"the fault of {bmc.node} names no node of the rack")
        if other.node not in self._others:
            posing = replace(bmc, node=other.node, macs=other.macs)
            self._others[other.node] = NodeDriver(posing, self._chassis_of(other.node))
        return self._others[other.node]


def list_what_works(response: flask.Response) -> flask.Response:
    """Put our own reset types in place of the emulator's fixed list, which has Nmi."""
    if flask.request.endpoint == "system_resource" and flask.request.method == "GET":
        system = response.get_json()
        if response.status_code == HTTPStatus.OK:
            actions = system["Actions"]["#ComputerSystem.Reset"]
            actions["ResetType@Redfish.AllowableValues"] = list(ResetType)
            system["PowerRestorePolicy"] = "AlwaysOff"  # a node boots by an order alone
            response.set_data(json.dumps(system))
    return response


# --- what is around the emulator, from the inside out ---


def guarded(app: "WSGIApplication", bmc: Bmc) -> "WSGIApplication":
    """Let in the users of the auth file; the service root is open.

    Not sushy-tools' own guard: that one breaks on a malformed header instead of refusing it.
    """

    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        header = environ.pop("HTTP_AUTHORIZATION", None)
        if environ["PATH_INFO"].strip("/") in OPEN_PATHS or may_enter(bmc, header):
            return app(environ, start_response)
        refusal = redfish_error(HTTPStatus.UNAUTHORIZED, "wrong user or password")
        refusal.headers["WWW-Authenticate"] = 'Basic realm="BMC"'
        return refusal(environ, start_response)

    return answer


def may_enter(bmc: Bmc, header: str | None) -> bool:
    """Say whether an Authorization header names a user and the right password."""
    given = Authorization.from_header(header)
    if given is None or given.type != "basic":
        return False
    try:
        auth_basic.authenticate(bmc.auth_file, given.username, (given.password or "").encode())
    except (error.FishyError, ValueError):  # ValueError: longer than bcrypt takes
        return False
    return True


def faulty(app: "WSGIApplication", bmc: Bmc) -> "WSGIApplication":
    """Misbehave as the fault file says at the time of each request; `stuck` is the driver's."""

    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        client: socket.socket = environ["werkzeug.socket"]
        try:
            fault = read_fault(bmc)
        except BadInput as unknown:
            said = redfish_error(HTTPStatus.INTERNAL_SERVER_ERROR, in_words(unknown))
            return said(environ, start_response)
        if fault is not None and fault.kind is FaultKind.DEAF:
            log.info("fault shown node=%s fault=%s", bmc.node, fault.text)
            hold(client, lambda: has_fault(bmc, FaultKind.DEAF))
            with suppress(OSError):  # the client has cut the line first
                client.shutdown(socket.SHUT_RDWR)  # without it the server would read on
            raise ConnectionAbortedError
        answered = app(environ, start_response)  # nothing of it is sent before we return
        if fault is not None and fault.kind is FaultKind.SLOW:
            log.info("fault shown node=%s fault=%s", bmc.node, fault.text)
            until = time.monotonic() + fault.late_by_s
            hold(client, lambda: time.monotonic() < until and has_fault(bmc, FaultKind.SLOW))
        return answered

    return answer


def has_fault(bmc: Bmc, kind: FaultKind) -> bool:
    """Say whether the BMC has this kind of fault now."""
    try:
        fault = read_fault(bmc)
    except BadInput:
        return False
    return fault is not None and fault.kind is kind


def hold(client: socket.socket, while_so: Callable[[], bool]) -> None:
    """Keep a client waiting, until it hangs up at the latest: no thread waits for nobody."""
    gone = select.poll()
    gone.register(client, select.POLLRDHUP)
    while while_so() and not gone.poll(LOOK_EVERY_S * 1000):
        pass


def logged(app: "WSGIApplication", bmc: Bmc) -> "WSGIApplication":
    """Log what was ordered or refused, with its path and nothing else of the request."""

    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        started = time.monotonic()
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]

        def note(
            status: str,
            headers: list[tuple[str, str]],
            exc_info: "tuple[type[BaseException], BaseException, TracebackType] "
            "| tuple[None, None, None] | None" = None,
            /,
        ) -> Callable[[bytes], object]:
            if method != "GET" or status >= "4":
                log.info(
                    "request answered node=%s method=%s path=%a status=%s seconds=%.2f",
                    bmc.node, method, path, status, time.monotonic() - started,
                )  # fmt: skip
            return start_response(status, headers, exc_info)

        return app(environ, note)

    return answer


def redfish_error(status: HTTPStatus, message: str) -> flask.Response:
    """Return an error in Redfish's form."""
    body = {"error": {"code": "Base.1.0.GeneralError", "message": message}}
    return flask.Response(json.dumps(body), status, content_type="application/json")


def in_words(failed: Exception) -> str:
    """Return all that an error of ours or of the system says, in one line."""
    says = failed.says if isinstance(failed, StackwardError) else None
    return f"{failed} ({says})" if says else str(failed) or type(failed).__name__
