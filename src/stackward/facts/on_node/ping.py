"""Call services over RPC with their own settings; print what came of each as one JSON document.

It is sent over ssh as it is, to the python3 of the node or of the container where the services run.
oslo.config reads their settings there, as the services do: so the password of RabbitMQ goes nowhere
else. An error is reported by its kind alone, because its words may have the password. The call is
one of oslo.messaging's own (12.4 and newer). Each server answers it where `rpc_ping_enabled` is
set. It changes nothing.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import select
import signal
import sys
import threading
import time
import warnings
from typing import Any

PING = "oslo_rpc_server_ping"
LEEWAY_S = 0.5
LEAST_S = 0.2  # where an answer comes, it comes within a few milliseconds
NO_TIME = "NoTimeLeft"
OWN_END_S = 2  # after which a process is ended by its own alarm, also if it hangs
REPLIES_S = 60  # our queue for answers goes this long after us; RabbitMQ's default is half an hour
NOT_SERVED = {"NoSuchMethod", "UnsupportedVersion"}
RABBIT = "oslo_messaging_rabbit"


class Caller:
    """Calls those that share their settings, over one connection."""

    def __init__(self, asked: dict[str, Any], limits: dict[str, float], ends: float) -> None:
        self.asked = asked
        self.within_s = limits["within_s"]
        self.least_s = limits["least_s"]  # with less, that no answer came proves nothing
        self.ends = ends  # of all of it, by this machine's own clock
        self.told = {}  # type: dict[str, Any]

    def tell(self, target: dict[str, str], outcome: str, **more: object) -> None:
        """Note what came of a call."""
        self.told[f"{target['topic']}.{target['server']}"] = {"outcome": outcome, **more}

    def tell_all(self, outcome: str, **more: object) -> None:
        """Note the same of all."""
        for target in self.asked["targets"]:
            self.tell(target, outcome, **more)

    def tell_silent(self, target: dict[str, str], took_s: float) -> None:
        """Note that no answer came; within less than a fair time that proves nothing."""
        if self.within_s < self.least_s:
            self.tell(target, "not asked", why=NO_TIME)
        else:
            self.tell(target, "silent", took_s=took_s)

    def call_all(self) -> None:
        """Call them side by side, where they are set to answer."""
        try:
            transport, exchange = self.connect()
        except Exception as error:  # noqa: BLE001  # its words may hold the password
            self.tell_all("not asked", why=type(error).__name__)
            return
        if transport is None:
            self.tell_all("not enabled")
            return
        self.within_s = min(self.within_s, self.ends - time.monotonic() - LEEWAY_S)
        # A call that was made and not answered is silent, also if its own end was not awaited.
        for target in self.asked["targets"]:
            self.tell_silent(target, self.within_s)
        if self.within_s < LEAST_S:
            return
        calls = [
            threading.Thread(target=self.call, args=(transport, exchange, target), daemon=True)
            for target in self.asked["targets"]
        ]
        for call in calls:
            call.start()
        ends = time.monotonic() + self.within_s + LEEWAY_S
        for call in calls:
            call.join(max(0.0, ends - time.monotonic()))

    def connect(self) -> tuple[Any, str]:
        """Return a transport with the settings of the services, and where they listen."""
        import oslo_messaging  # type: ignore[import-not-found]  # noqa: PLC0415  # the node has it
        from oslo_config import cfg  # type: ignore[import-not-found]  # noqa: PLC0415  # as above

        words = []
        for path in self.asked["settings"]:
            if os.path.exists(path):
                words += ["--config-dir" if os.path.isdir(path) else "--config-file", path]
        if not words:
            raise FileNotFoundError
        # The library's own: parts of it (its metrics) look nowhere else.
        settings = cfg.CONF
        with contextlib.suppress(cfg.DuplicateOptError):
            settings.register_opt(cfg.BoolOpt("rpc_ping_enabled", default=False))
        settings(words, default_config_files=[], default_config_dirs=[])
        if not settings.rpc_ping_enabled:
            return None, ""
        transport = oslo_messaging.get_rpc_transport(settings)
        settings.set_default("control_exchange", self.asked["exchange"])
        with contextlib.suppress(cfg.NoSuchOptError, cfg.NoSuchGroupError):  # no RabbitMQ
            settings.set_override("rabbit_transient_queues_ttl", REPLIES_S, group=RABBIT)
        return transport, settings.control_exchange

    def call(self, transport: Any, exchange: str, target: dict[str, str]) -> None:  # noqa: ANN401  # the library's own
        """Call a service once."""
        import oslo_messaging  # noqa: PLC0415  # as above

        where = oslo_messaging.Target(
            exchange=exchange, topic=target["topic"], server=target["server"]
        )
        began = time.monotonic()
        try:
            client = oslo_messaging.get_rpc_client(transport, where, timeout=self.within_s, retry=0)
            client.call({}, PING)
        except oslo_messaging.MessagingTimeout:
            self.tell_silent(target, time.monotonic() - began)
        except oslo_messaging.RemoteError as error:
            # It answers, but not as one that has been started with that setting.
            outcome = "not enabled" if error.exc_type in NOT_SERVED else "answered"
            self.tell(target, outcome, took_s=time.monotonic() - began)
        except Exception as error:  # noqa: BLE001  # its words may hold the password
            self.tell(target, "not asked", why=type(error).__name__)
        else:
            self.tell(target, "answered", took_s=time.monotonic() - began)


def aside(asked: dict[str, Any], limits: dict[str, float], ends: float) -> Any:  # noqa: ANN401  # a file
    """Call those of one group in a process of its own, and return the stream of its results.

    The library has one set of settings in a process, and each project has others.
    """
    near, far = os.pipe()
    if os.fork():
        os.close(far)
        return os.fdopen(near)
    own_end(ends)
    caller = Caller(asked, limits, ends)
    caller.call_all()
    with os.fdopen(far, "w") as out:
        json.dump(dict(caller.told), out)
    os._exit(0)  # the library's own threads would be waited for


def own_end(ends: float) -> None:
    """Have this process ended by its own alarm, should something hold it."""
    signal.alarm(max(1, int(ends - time.monotonic()) + OWN_END_S))


def main(asked: dict[str, Any]) -> None:
    """Call all of them side by side, and print what came of each."""
    began = time.monotonic()
    own_end(began + asked["ends_s"])
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    document = {"version": 1, "told": {}}  # type: dict[str, Any]
    try:
        import oslo_messaging  # noqa: F401, PLC0415  # once, for all that are forked

    except ImportError as error:
        document["why"] = type(error).__name__
    else:
        ends = began + asked["ends_s"]
        for told in [aside(one, asked, ends) for one in asked["groups"]]:
            # A process that hangs before its calls (a file that cannot be read) delays only itself.
            left_s = ends + LEEWAY_S - time.monotonic()
            if select.select([told], [], [], max(0.0, left_s))[0]:
                document["told"].update(json.loads(told.read() or "{}"))
    sys.stdout.write(json.dumps(document))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
