"""The alert rules that are shipped, proved by Prometheus's own checker."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from fakes.apis import no_answer
from fakes.site import Site
from stackward.adapters.metrics import as_text
from stackward.report.figures import figures_of

EXAMPLES = Path(__file__).parents[2] / "docs/examples"
RULES = EXAMPLES / "stackward-alerts.yaml"


@pytest.fixture
def promtool() -> str:
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("promtool is not installed: it comes with Debian's package prometheus")
    return found


def test_the_alerts_fire_when_they_should_and_not_else(promtool: str) -> None:
    ended = subprocess.run(
        [promtool, "test", "rules", str(RULES.with_name("stackward-alerts-test.yaml"))],
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_the_figures_are_in_prometheus_own_form(promtool: str) -> None:
    site = Site()
    site.apis.lists["image"] = no_answer()

    ended = subprocess.run(
        [promtool, "check", "metrics"],
        input=as_text(figures_of(site.look())),
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_every_figure_that_an_alert_asks_for_is_told() -> None:
    told = {figure.name for figure in figures_of(Site().look())}
    groups = yaml.safe_load(RULES.read_text())["groups"]
    asked = " ".join(rule["expr"] for group in groups for rule in group["rules"])

    assert {
        word for word in asked.replace("{", " ").split() if word.startswith("stackward_")
    } <= told
