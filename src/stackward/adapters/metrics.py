"""Figures of health checks for Prometheus: as text, as a file of node_exporter's, or over HTTP.

A gauge has a value for what is true now: a finding that is gone has no line.
"""

import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server

from prometheus_client import CollectorRegistry, generate_latest, make_wsgi_app, write_to_textfile
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from stackward.errors import BadInput
from stackward.overriding import override
from stackward.ports.figures import Figure


class _Now(Collector):
    """The figures of the latest look."""

    def __init__(self, figures: Callable[[], Iterable[Figure]]) -> None:
        self._figures = figures

    @override
    def collect(self) -> Iterable[GaugeMetricFamily]:
        for figure in self._figures():
            labels = list(figure.labels)
            family = GaugeMetricFamily(figure.name, figure.says, labels=labels)
            for values, value in figure.values.items():
                family.add_metric(list(values), value)
            yield family


def _registry(figures: Callable[[], Iterable[Figure]]) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(_Now(figures))
    return registry


def as_text(figures: Iterable[Figure]) -> str:
    """Return figures in Prometheus's own form."""
    told = list(figures)
    return generate_latest(_registry(lambda: told)).decode()


def write_file(figures: Iterable[Figure], path: Path) -> None:
    """Write figures where node_exporter's textfile collector reads them, whole or not at all.

    Raises BadInput where that file cannot be written.
    """
    told = list(figures)
    try:
        write_to_textfile(str(path), _registry(lambda: told))
    except OSError as error:
        raise BadInput(
            f"cannot write `{path}`",
            says=error.strerror,
            hint="give a path ending in `.prom` in a directory that is there and may be written",
        ) from error


class _Quiet(WSGIRequestHandler):
    @override
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing of each request."""


class Served:
    """Figures over HTTP, until it is closed; `show` puts new ones in place of the last."""

    def __init__(self, host: str, port: int) -> None:
        self._figures: list[Figure] = []
        application = make_wsgi_app(_registry(lambda: self._figures))
        try:
            self._server = make_server(host, port, application, handler_class=_Quiet)
        except OSError as error:
            raise BadInput(
                f"cannot listen on {host}:{port}",
                says=error.strerror,
                hint="choose another with `--listen HOST:PORT`",
            ) from error
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        """Return the port that it got."""
        return self._server.server_port

    def show(self, figures: Iterable[Figure]) -> None:
        """Put new figures in place of the last."""
        self._figures = list(figures)

    def close(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()
