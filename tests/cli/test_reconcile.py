"""`cloud reconcile` and `node reconcile`, on a cloud of fakes."""

import json

import pytest

from builders import a_server, an_id
from cli import test_return
from cli.test_return import NODE, Site
from stackward.report.agreement import AGREEMENT_FIELDS, CASE_FIELDS
from stackward.report.tables import Form
from texts import folded

site = test_return.site  # the fixture
DB = an_id("db-01")
NOBODY = an_id("nobody")


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACKWARD_RECONCILE_WAIT_S", "5")


def test_a_cloud_that_agrees_ends_with_0(site: Site) -> None:
    code, out, said = site.run("cloud", "reconcile")

    assert (code, said) == (0, ""), out
    assert "all witnesses agree: " in out


def test_what_disagrees_is_shown_with_each_witness_and_ends_with_6(site: Site) -> None:
    site.cloud.placement.leftovers[DB] = {an_id("compute-08")}

    code, out, said = site.run("cloud", "reconcile")

    assert code == 6
    assert "looking again in 5 s" in folded(said)
    assert "[allocation-double]" in out
    assert f"placement  {NODE}, compute-08" in out
    assert "remedy: " in out


def test_a_server_that_runs_twice_comes_first_and_ends_with_7(site: Site) -> None:
    site.cloud.placement.leftovers[NOBODY] = {an_id("compute-08")}
    site.shell.domains["compute-08", DB] = "running"

    code, out, _ = site.run("cloud", "reconcile")

    assert code == 7
    assert out.startswith("One server runs on two nodes: 1  [server-twice]\n")


def test_of_a_node_only_what_touches_it_is_shown(site: Site) -> None:
    site.cloud.placement.leftovers[NOBODY] = {an_id("compute-08")}

    elsewhere, _, _ = site.run("node", "reconcile", "compute-09")
    there, out, _ = site.run("node", "reconcile", "compute-08")

    assert (elsewhere, there) == (0, 6)
    assert NOBODY in out


def test_an_unknown_node_is_refused(site: Site) -> None:
    code, out, said = site.run("node", "reconcile", "compute-99")

    assert (code, out) == (2, "")
    assert "there is no compute node `compute-99`" in said


def test_what_cannot_be_read_is_unknown_and_ends_with_6(site: Site) -> None:
    site.shell.silent.add("compute-08")

    code, out, _ = site.run("cloud", "reconcile")

    assert code == 6
    assert "unknown, so it gives no case:" in out
    assert "libvirt of compute-08: " in out
    assert "what could be read agrees" in out


def test_the_json_has_the_fields_that_its_page_names(site: Site) -> None:
    site.cloud.placement.leftovers[NOBODY] = {an_id("compute-08")}
    site.shell.silent.add("compute-09")

    _, out, _ = site.run("cloud", "reconcile", "-f", "json")

    told = json.loads(out)
    [case] = told["cases"]
    assert [*told] == [*AGREEMENT_FIELDS]
    assert [*case] == [*CASE_FIELDS]
    assert (case["class"], case["id"]) == ("allocation-orphan", NOBODY)
    assert [(one["witness"], one["host"]) for one in told["unknown"]] == [("libvirt", "compute-09")]
    assert (told["looks"], told["passed"]) == (2, 0)


@pytest.mark.parametrize("form", [form for form in Form if form is not Form.JSON])
def test_every_form_has_the_cases(site: Site, form: Form) -> None:
    site.cloud.placement.leftovers[NOBODY] = {an_id("compute-08")}

    code, out, _ = site.run("cloud", "reconcile", "-f", form.value)

    assert (code, NOBODY in out) == (6, True)


def test_a_column_that_is_not_there_is_refused_before_anything_is_asked(site: Site) -> None:
    code, _, said = site.run("cloud", "reconcile", "-c", "Colour")

    assert (code, "there is no column" in said, site.shell.asked) == (2, True, [])


def test_the_lines_fit_a_narrow_terminal(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    from stackward.report import agreement  # noqa: PLC0415  # what is rendered, without a terminal

    site.cloud.nova.add(a_server(name="db-long"))
    site.cloud.placement.leftovers[NOBODY] = {an_id("compute-08")}
    shown: list[str] = []
    render = agreement.render_agreement

    def at_80(found, form, columns=(), width=None):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, ARG001
        shown.append(render(found, form, columns, 80))
        return shown[-1]

    monkeypatch.setattr(agreement, "render_agreement", at_80)
    site.run("cloud", "reconcile")

    assert max(map(len, shown[0].splitlines())) <= 80
