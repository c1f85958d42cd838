"""The status of a lab, for people and for programs."""

from dataclasses import asdict

from stackward.lab.status import LabStatus
from stackward.report.tables import Form, Table, render_rows
from stackward.report.times import in_words
from stackward.wording import in_utc

NODE_COLUMNS = (
    "Node", "Role", "Address", "Power", "SSH", "nova-compute", "Failed units", "Disk used", "BMC",
)  # fmt: skip


def status_record(seen: LabStatus) -> dict[str, object]:
    """Return everything as one record."""
    record = asdict(seen)
    record["state"] = seen.exit_code.name.lower()
    for entry in record["stand_ins"]:
        entry["is"] = entry.pop("is_")
    return record


def nodes_table(seen: LabStatus) -> Table:
    """Return a row per node."""
    return Table(
        columns=NODE_COLUMNS,
        rows=tuple(
            (
                node.node,
                node.role,
                node.address,
                node.power,
                node.ssh,
                node.nova_compute,
                node.failed_units,
                node.disk_used,
                node.bmc,
            )
            for node in seen.nodes
        ),
        gives_way=("Address", "Role", "Disk used", "BMC"),
    )


def status_text(seen: LabStatus) -> str:
    """Return everything for people."""
    silent = [name for name, is_answering in seen.apis.items() if not is_answering]
    lines = [
        (
            f"lab `{seen.lab}`: profile {seen.profile}, Debian {seen.release},"
            f" network {seen.network}, cloud `{seen.cloud}`, files in {seen.folder}"
        ),
        f"APIs: {'all answer' if not silent else 'silent: ' + ', '.join(silent)}",
        *(
            f"fault in force: {made.fault} on {made.place} since {in_words(in_utc(made.since))}"
            for made in seen.faults
        ),
        "",
        "replacements for what such a machine cannot have:",
        *(f"  instead of {it.instead_of}: {it.is_}; {it.so}" for it in seen.stand_ins),
    ]
    return render_rows(nodes_table(seen), Form.TABLE) + "\n".join(lines) + "\n"
