"""`stackward lab`: whole outputs for what cannot be done; the rest needs a lab."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from lab_builders import a_lab
from stackward.cli import main
from stackward.lab.faults import ALL

Ended = tuple[int, str, str]
Run = Callable[..., Ended]

NEEDS_ROOT = (
    "error: a lab needs root: it mounts file systems, makes networks and boots containers\n"
    "nothing was changed\n\n"
    "hint: call it again as root, for example with `sudo`\n"
)
NO_LAB = (
    "error: there is no lab `{0}` on this machine\n\n"
    "hint: name one that is there with `--name`: `lab`;"
    " or `stackward lab up --name {0}` makes one\n"
)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command on a machine whose state and cache lie in `tmp_path`."""
    monkeypatch.setenv("STACKWARD_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("STACKWARD_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("STACKWARD_LAB", raising=False)

    def call(*arguments: str) -> Ended:
        code = main(["lab", *arguments])
        return (code, *capsys.readouterr())

    return call


@pytest.fixture
def as_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be root, as far as the system call says; nothing in these tests goes further."""
    monkeypatch.setattr("os.geteuid", lambda: 0)


@pytest.fixture
def as_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be somebody else."""
    monkeypatch.setattr("os.geteuid", lambda: 1000)


@pytest.mark.usefixtures("as_user")
@pytest.mark.parametrize(
    "arguments",
    [
        ["up"],
        ["down"],
        ["down", "--purge"],
        ["reset"],
        ["list"],
        ["status"],
        ["ssh", "ctl"],
        ["console", "load-1"],
        ["power", "on", "c01"],
        ["power", "off", "c01"],
        ["power", "reset", "c01"],
        ["power", "status", "c01"],
        ["openrc"],
        ["exec", "true"],
        ["load", "3"],
        ["break", "node-power-loss", "c01"],
        ["mend", "node-power-loss", "c01"],
        ["cache", "clear"],
    ],
    ids=" ".join,
)
def test_who_is_not_root_is_told_so(arguments: Sequence[str], run: Run, tmp_path: Path) -> None:
    assert run(*arguments) == (3, "", NEEDS_ROOT)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("as_root")
@pytest.mark.parametrize(
    "arguments",
    [
        ["reset", "--name", "none"],
        ["status", "--name", "none"],
        ["ssh", "--name", "none", "ctl"],
        ["console", "--name", "none", "load-1"],
        ["power", "off", "--name", "none", "c01"],
        ["openrc", "--name", "none"],
        ["exec", "--name", "none", "true"],
        ["load", "--name", "none", "3"],
        ["break", "--name", "none", "node-power-loss"],
        ["mend", "--name", "none", "node-power-loss"],
    ],
    ids=" ".join,
)
def test_a_lab_that_is_not_there(arguments: Sequence[str], run: Run, tmp_path: Path) -> None:
    a_lab(tmp_path)

    assert run(*arguments) == (2, "", NO_LAB.format("none"))


@pytest.mark.parametrize("after", [["--name", "none", "--", "true"], ["--help"], ["-x"]])
def test_an_option_after_the_node_is_not_sent_there(
    after: Sequence[str], run: Run, tmp_path: Path
) -> None:
    """It was sent there, and the error spoke of a lab that was not there."""
    a_lab(tmp_path)

    assert run("ssh", "c01", *after) == (
        2,
        "",
        (
            f"error: `{after[0]}` comes after the node, so it would be a part of the command\n\n"
            "hint: options come before the node: `stackward lab ssh [OPTIONS] c01 [COMMAND...]`\n"
        ),
    )


@pytest.mark.usefixtures("as_root")
@pytest.mark.parametrize("arguments", [["down"], ["down", "--purge"]], ids=" ".join)
def test_a_lab_that_is_not_there_cannot_be_stopped(
    arguments: Sequence[str], run: Run, tmp_path: Path
) -> None:
    a_lab(tmp_path)

    code, out, err = run(*arguments, "--name", "none")

    assert (code, out) == (2, "")
    assert err.endswith(NO_LAB.format("none"))


@pytest.mark.usefixtures("as_root")
def test_the_variable_names_the_lab_too(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_lab(tmp_path)
    monkeypatch.setenv("STACKWARD_LAB", "other")

    assert run("openrc") == (2, "", NO_LAB.format("other"))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param(
            ["up", "--profile", "huge"],
            "error: there is no lab profile `huge`\n\nhint: profiles: `small`, `scale`\n",
            id="profile",
        ),
        pytest.param(
            ["up", "--name", "My Lab"],
            "error: `My Lab` cannot be the name of a lab\n\n"
            "hint: at most 20 small letters, digits and hyphens, a letter first\n",
            id="name",
        ),
        pytest.param(
            ["up", "--computes", "0"],
            "error: a lab has 1 to 9 compute nodes, not 0\n",
            id="no computes",
        ),
        pytest.param(
            ["up", "--fake-computes", "1000"],
            "error: a lab has 1 to 200 fake computes, not 1000\n",
            id="too many fakes",
        ),
        pytest.param(
            ["up", "--release", "../etc"],
            "error: `../etc` cannot be the name of a Debian release\n",
            id="release",
        ),
        pytest.param(
            ["up", "--network", "10.0.0.0/8"],
            "error: `10.0.0.0/8` cannot be a lab's network\n\n"
            "hint: a private one of 256 addresses: 10.99.1.0/24\n",
            id="network",
        ),
        pytest.param(
            ["load", "0"],
            "error: invalid value for `N`: Input should be greater than or equal to 1\n\n"
            "hint: `stackward lab load --help` says what there is\n",
            id="no servers",
        ),
    ],
)
def test_what_cannot_be_asked_for(
    arguments: Sequence[str], expected: str, run: Run, tmp_path: Path
) -> None:
    assert run(*arguments) == (2, "", expected)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("as_root")
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param(
            ["ssh", "c09"],
            "error: there is no node `c09` in the lab `lab`\n\nhint: nodes: `ctl`, `c01`, `c02`\n",
            id="ssh: node",
        ),
        pytest.param(
            ["power", "off", "c09"],
            "error: there is no node `c09` in the lab `lab`\n\nhint: nodes: `ctl`, `c01`, `c02`\n",
            id="power: node",
        ),
        pytest.param(
            ["break", "node-power-los", "c01"],
            "error: there is no fault `node-power-los`\n\n"
            "hint: `stackward lab faults` lists them\n",
            id="break: fault",
        ),
        pytest.param(
            ["mend", "node-power-los"],
            "error: there is no fault `node-power-los`\n\n"
            "hint: `stackward lab faults` lists them\n",
            id="mend: fault",
        ),
        pytest.param(
            ["exec", "no-such-program", "--really"],
            "error: there is no program `no-such-program` on this machine\n",
            id="exec: program",
        ),
    ],
)
def test_what_is_not_in_a_lab(
    arguments: Sequence[str], expected: str, run: Run, tmp_path: Path
) -> None:
    a_lab(tmp_path)

    assert run(*arguments) == (2, "", expected)


@pytest.mark.usefixtures("as_root")
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param(
            ["break", "node-power-loss", "c09"],
            "error: there is no node `c09` in the lab `lab`\n\nhint: nodes: `ctl`, `c01`, `c02`\n",
            id="no such node",
        ),
        pytest.param(
            ["break", "node-power-loss", "ctl"],
            "error: `node-power-loss` is a fault of a compute node; `ctl` is none\n\n"
            "hint: compute nodes: `c01`, `c02`\n",
            id="not a compute node",
        ),
        pytest.param(
            ["break", "domain-undefined"],
            "error: `domain-undefined` needs a server\n\nhint: name one, or give its id\n",
            id="no server named",
        ),
        pytest.param(
            ["load", "3", "--node", "c09"],
            "error: there is no node `c09` in the lab `lab`\n\nhint: nodes: `ctl`, `c01`, `c02`\n",
            id="load: node",
        ),
        pytest.param(
            ["load", "3", "--node", "ctl"],
            "error: `ctl` is not a compute node\n\nhint: compute nodes: `c01`, `c02`\n",
            id="load: not a compute node",
        ),
    ],
)
def test_where_a_fault_or_a_server_cannot_be(
    arguments: Sequence[str], expected: str, run: Run, tmp_path: Path
) -> None:
    lab = a_lab(tmp_path)

    code, out, err = run(*arguments)

    assert (code, out) == (2, "")
    assert err.endswith(expected)
    assert not (lab.folder / "faults.json").exists()


@pytest.mark.usefixtures("as_root")
def test_a_fault_that_is_not_in_force_is_not_mended(run: Run, tmp_path: Path) -> None:
    a_lab(tmp_path)

    code, out, err = run("mend", "disk-full")

    assert (code, out) == (3, "")
    assert err.endswith(
        "error: `disk-full` is not in force\nnothing was changed\n\n"
        "hint: `stackward lab status` shows the faults that are\n"
    )


@pytest.mark.usefixtures("as_root")
def test_a_lab_that_cannot_be_read_is_refused_with_the_way_out(run: Run, tmp_path: Path) -> None:
    file = a_lab(tmp_path).folder / "lab.json"
    file.write_text("[]")

    assert run("openrc") == (
        3,
        "",
        (
            f"error: the lab `lab` cannot be read: {file}\n"
            '  the answer was: "not a lab of format 1"\n'
            "nothing was changed\n\n"
            "hint: `stackward lab down --purge --name lab` removes it\n"
        ),
    )


@pytest.mark.usefixtures("as_root")
def test_openrc_prints_lines_for_a_shell(run: Run, tmp_path: Path) -> None:
    lab = a_lab(tmp_path)

    assert run("openrc", "--demo") == (
        0,
        (
            f"export OS_CLIENT_CONFIG_FILE={lab.clouds_yaml}\n"
            "export OS_CLOUD=lab-demo\n"
            f"export STACKWARD_BMC_AUTH={lab.bmc_logins}\n"
            f"export STACKWARD_INVENTORY={lab.inventory}\n"
            "export STACKWARD_INVENTORY_READER=''\n"
            "export STACKWARD_LAB=lab\n"
        ),
        "",
    )


def test_faults_are_listed_without_a_lab(run: Run) -> None:
    code, out, err = run("faults", "-f", "value")

    assert (code, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines()] == [fault.name for fault in ALL]


def test_only_the_columns_that_are_named_are_listed(run: Run) -> None:
    code, out, err = run("faults", "-f", "value", "-c", "name")

    assert (code, out, err) == (0, "".join(f"{fault.name}\n" for fault in ALL), "")


@pytest.mark.usefixtures("as_root")
def test_a_column_that_is_not_there_is_refused_before_servers_are_made(
    run: Run, tmp_path: Path
) -> None:
    a_lab(tmp_path)

    assert run("load", "3", "-c", "Colour") == (
        2,
        "",
        (
            "error: there is no column `Colour`\n\n"
            "hint: the columns are `Name`, `ID`, `Node`, `Kind`\n"
        ),
    )


def test_an_empty_cache_is_an_empty_list(run: Run) -> None:
    assert run("cache", "list", "-f", "json") == (0, "[]\n", "")
