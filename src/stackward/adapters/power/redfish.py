"""A BMC that speaks Redfish, asked by sushy.

Each request is sent once. What a BMC answers to an order is not believed: its state is read.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
import sushy
from requests.adapters import HTTPAdapter
from sushy import exceptions as says
from sushy.auth import BasicAuth
from sushy.connector import Connector
from sushy.resources.system.ethernet_interface import EthernetInterface
from sushy.resources.system.system import System
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from stackward.adapters.openstack.whole_time import POOLS, whole_time
from stackward.adapters.power.logins import Login, Logins
from stackward.errors import (
    NotUnderstood,
    Refused,
    StackwardError,
    StepFailed,
    Uncertain,
    Unreachable,
)
from stackward.model.hardware import Hardware
from stackward.model.power import DeviceName, PowerDevice, PowerReturns, PowerState
from stackward.overriding import override

logging.getLogger("sushy").addHandler(logging.NullHandler())  # all of it is raised as well
logging.getLogger("sushy").propagate = False

_RETURNS = {
    "AlwaysOn": PowerReturns.ON,
    "AlwaysOff": PowerReturns.OFF,
    "LastState": PowerReturns.AS_BEFORE,
}
_FORBIDDEN, _SERVER_ERROR = 403, 500
_LONGEST = 300  # of a BMC's own words
# What an answer of an unknown shape raises in sushy.
_ODD = (AttributeError, KeyError, RecursionError, TypeError, ValueError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Redfish:
    """One BMC, and the system behind it that is the node."""

    url: str
    logins: Logins
    authorities: Path | None = None  # certificates that check its own; None: the usual ones
    fingerprint: str | None = None  # of its certificate (SHA-256): then nothing else is asked of it

    @property
    def name(self) -> DeviceName:
        """Return where it is."""
        return DeviceName(how="Redfish", at=(self.url,))

    def state(self, within_s: float, /) -> PowerState:
        """Say whether the node has power."""
        with self._asked(within_s) as system:
            return self._state_of(system)

    def describe(self, within_s: float, /) -> PowerDevice:
        """Say all that the BMC says of itself and of its node."""
        with self._asked(within_s) as system:
            resets = _resets_of(system)
            return PowerDevice(
                name=self.name,
                state=self._state_of(system),
                hardware=_hardware_of(system),
                reset_types=tuple(sorted(resets)),
                can_force_off=(sushy.ResetType.FORCE_OFF.value in resets) if resets else None,
                power_returns=_RETURNS.get(
                    str(system.json.get("PowerRestorePolicy")), PowerReturns.UNTOLD
                ),
            )

    def order_off(self, within_s: float, /) -> None:
        """Cut the power at once: ForceOff, and no other order."""
        self._order(within_s, PowerState.OFF, (sushy.ResetType.FORCE_OFF,))

    def order_on(self, within_s: float, /) -> None:
        """Give power."""
        self._order(within_s, PowerState.ON, (sushy.ResetType.ON, sushy.ResetType.FORCE_ON))

    def _order(
        self, within_s: float, wanted: PowerState, orders: tuple[sushy.ResetType, ...]
    ) -> None:
        with self._asked(within_s) as system:
            offered = system.get_allowed_reset_system_values()
            order = next((each for each in orders if each in offered), None)
            if order is None:
                has = ", ".join(sorted(each.value for each in offered))
                raise Refused(
                    f"the BMC at {self.url} does not have the order {orders[0].value}",
                    says=f"it has {has}" if has else None,
                )
            try:
                system.reset_system(order)
            except says.ServerSideError as error:
                raise StepFailed(
                    f"the BMC at {self.url} failed to carry out {order.value}"
                    f" ({error.status_code})",
                    says=_words_of(error),
                ) from error
            except says.AccessError:
                raise  # said by `_asked`
            except says.HTTPError as error:
                # Many refuse to cut the power of what is off: then it is as was wanted.
                system.refresh(force=True)
                if self._state_of(system) is wanted:
                    return
                raise Refused(
                    f"the BMC at {self.url} refused {order.value} ({error.status_code})",
                    says=_words_of(error),
                    hint="another order may be under way: wait, then read its state",
                ) from error
            except says.ConnectionError as error:
                if _was_not_sent(error):
                    raise
                raise Uncertain(
                    f"the BMC at {self.url} did not answer to {order.value}", says=_why(error)
                ) from error

    def _state_of(self, system: System) -> PowerState:
        match system.power_state:
            case sushy.PowerState.OFF:
                return PowerState.OFF
            case None:
                raise NotUnderstood(
                    f"the BMC at {self.url} does not say whether the node is on",
                    says=f"PowerState is {system.json.get('PowerState')!a}"[:_LONGEST],
                )
            case _:  # also on its way from the one to the other: something may still write
                return PowerState.ON

    @contextmanager
    def _asked(self, within_s: float) -> Iterator[System]:
        """Log in and read the system; what is not as it should be is said in our words."""
        host = urlsplit(self.url).hostname or ""
        if urlsplit(self.url).scheme == "http" and not _is_loopback(host):
            raise Refused(
                f"the BMC at {self.url} is not asked: without TLS its password could be read",
                hint="set `bmc_url` to its https URL",
            )
        login = self.logins.must_be(host)
        connector = _Once(self.url, login, self.authorities, self.fingerprint, within_s)
        try:
            with whole_time(within_s):
                yield self._system(connector)
        except StackwardError:
            raise
        except says.AccessError as error:
            may_not = error.status_code == _FORBIDDEN
            raise Refused(
                f"the BMC at {self.url} does not let `{login.user}` "
                + ("do that" if may_not else "in"),
                says=_words_of(error),
                hint="give the account the right to switch power"
                if may_not
                else f"correct its login in `{self.logins.file}`",
            ) from error
        except says.ResourceNotFoundError as error:
            raise Refused(
                f"the BMC at {self.url} has no such system",
                says=_words_of(error),
                hint="`bmc_url` ends with the path of the node's system: /redfish/v1/Systems/...",
            ) from error
        except says.HTTPError as error:
            raise Unreachable(
                f"the BMC at {self.url} cannot answer ({error.status_code})", says=_words_of(error)
            ) from error
        except says.ConnectionError as error:
            raise _no_answer(self.url, error) from error
        except (says.SushyError, *_ODD) as error:
            raise NotUnderstood(
                f"the BMC at {self.url} does not answer as Redfish does",
                says=f"{type(error).__name__}: {error}"[:_LONGEST],
            ) from error
        finally:
            connector.close()

    def _system(self, connector: Connector) -> System:
        parts = urlsplit(self.url)
        if parts.path.strip("/"):
            return System(connector, parts.path)
        auth = BasicAuth("", "")  # the connector logs in by itself
        auth.authenticate = lambda: None
        return sushy.Sushy(self.url, auth=auth, connector=connector).get_system()


class _Once(Connector):  # type: ignore[misc]  # sushy ships no types
    """Sends each request once.

    sushy repeats a request whose connection broke, also an order, for each value of
    `server_side_retries`: three times where it is 0. With 1 it sends it once, and it does not ask
    again after an answer of 5xx.
    """

    def __init__(
        self,
        url: str,
        login: Login,
        authorities: Path | None,
        fingerprint: str | None,
        within_s: float,
    ) -> None:
        super().__init__(
            url,
            verify=str(authorities) if authorities else fingerprint is None,
            server_side_retries=1,
            default_request_timeout=within_s,
        )
        # Neither a proxy nor a login of the environment is for a BMC.
        self._session.trust_env = False
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, _InTime(fingerprint))
        self.set_http_basic_auth(login.user, login.password)

    @override
    def _op(self, method: str, path: str = "", *given: Any, **named: Any) -> Any:
        there = urlsplit(path)
        own = urlsplit(self._url)
        if there.netloc and (there.scheme, there.netloc) != (own.scheme, own.netloc):
            raise NotUnderstood(
                f"the BMC at {self._url} leads to another place: {path}"[:_LONGEST],
                hint="its login is not sent there: see on the BMC's own page what is wrong",
            )
        return super()._op(method, path, *given, **{**named, "server_side_retries_left": 0})


class _InTime(HTTPAdapter):
    """Connections that keep to the time of the whole question, and to a pinned certificate."""

    def __init__(self, fingerprint: str | None) -> None:
        self._fingerprint = fingerprint
        super().__init__()

    @override
    def init_poolmanager(self, *given: Any, **named: Any) -> None:
        super().init_poolmanager(*given, **named, assert_fingerprint=self._fingerprint)
        self.poolmanager.pool_classes_by_scheme = POOLS


def _resets_of(system: System) -> set[str]:
    """Return the orders that it offers; none where it does not say: then sushy has all."""
    offered = system.get_allowed_reset_system_values()
    return set() if offered == set(sushy.ResetType) else {each.value for each in offered}


def _hardware_of(system: System) -> Hardware:
    cards = _cards_of(system)
    return Hardware.of(
        uuid=_text(system.uuid),
        serial=_text(system.serial_number),
        macs=[
            mac
            for card in cards
            for mac in (_text(card.mac_address), _text(card.permanent_mac_address))
            if mac
        ],
    )


def _cards_of(system: System) -> Sequence[EthernetInterface]:
    """Return the network cards that the BMC knows of; some know none."""
    try:
        cards: Sequence[EthernetInterface] = system.ethernet_interfaces.get_members()
    except (says.MissingAttributeError, says.ResourceNotFoundError):
        return ()
    return cards


def _text(told: object) -> str:
    return told if isinstance(told, str) else ""


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _words_of(error: says.HTTPError) -> str:
    return str(error.detail or error.message or error)[:_LONGEST]


def _cause(error: says.ConnectionError) -> BaseException | None:
    """Return what urllib3 had said, else requests, when sushy said that it cannot connect."""
    cause: BaseException | None = error.__context__
    if not cause or isinstance(cause, requests.exceptions.SSLError) or not cause.args:
        return cause
    reason = getattr(cause.args[0], "reason", None)
    return reason if isinstance(reason, BaseException) else cause


def _was_not_sent(error: says.ConnectionError) -> bool:
    cause = _cause(error)
    return isinstance(
        cause, NewConnectionError | ConnectTimeoutError | requests.exceptions.SSLError
    )


def _why(error: says.ConnectionError) -> str:
    return str(_cause(error) or error).rpartition("): ")[2][:_LONGEST]


def _no_answer(url: str, error: says.ConnectionError) -> StackwardError:
    cause = _cause(error)
    if isinstance(cause, requests.exceptions.SSLError):
        return Refused(
            f"the certificate of the BMC at {url} is not trusted: nothing was asked",
            says=_why(error),
            hint="name the file of certificates that vouch for it in STACKWARD_BMC_CA, or set "
            "`bmc_fingerprint` of the node to the SHA-256 fingerprint of its own",
        )
    if _was_not_sent(error):
        return Unreachable(f"there is no connection to the BMC at {url}", says=_why(error))
    return Unreachable(f"the BMC at {url} does not answer in time", says=_why(error))
