"""Figures for Prometheus: as text, as a file, over HTTP."""

from pathlib import Path
from urllib.request import urlopen

import pytest

from fakes.apis import no_answer
from fakes.site import Site
from stackward.adapters.metrics import Served, as_text, write_file
from stackward.errors import BadInput
from stackward.ports.figures import Figure
from stackward.report.figures import figures_of

ONE = Figure(name="stackward_state", says="How it is.", values={(): 2.0})


def test_findings_and_probe_times_are_gauges() -> None:
    site = Site()
    site.apis.lists["image"] = no_answer()

    told = as_text(figures_of(site.look())).splitlines()

    assert 'stackward_component_state{component="glance-api"} 2.0' in told
    assert 'stackward_probe_seconds{component="nova-api"} 0.25' in told
    assert (
        'stackward_finding{component="glance-api",node="",rule="list-unanswered",state="broken",'
        'under=""} 1.0'
    ) in told


def test_the_file_is_whole(tmp_path: Path) -> None:
    write_file([ONE], tmp_path / "stackward.prom")

    assert "stackward_state 2.0\n" in (tmp_path / "stackward.prom").read_text()


def test_a_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot write"):
        write_file([ONE], tmp_path / "none" / "stackward.prom")


def test_the_latest_figures_are_served() -> None:
    served = Served("127.0.0.1", 0)
    served.show([ONE])

    with urlopen(f"http://127.0.0.1:{served.port}/metrics") as answer:  # our own
        told = answer.read().decode()
    served.close()

    assert "stackward_state 2.0\n" in told


def test_a_port_that_is_taken_is_said() -> None:
    served = Served("127.0.0.1", 0)

    with pytest.raises(BadInput, match=f"cannot listen on 127.0.0.1:{served.port}"):
        Served("127.0.0.1", served.port)
    served.close()
