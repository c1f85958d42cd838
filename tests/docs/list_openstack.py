"""Print every command of python-openstackclient with its flags: what openstack.txt is made of.

Run it with the python of the bench's environment, whenever that has a newer client:
`.venv-bench/bin/python tests/docs/list_openstack.py > tests/docs/openstack.txt`.
"""

import sys
from importlib.metadata import EntryPoint, distribution

CLIENT = "python-openstackclient"
EVERYWHERE = {
    "--column", "--fit-width", "--format", "--help", "--max-width", "--noindent", "--prefix",
    "--print-empty", "--quote", "--sort-ascending", "--sort-column", "--sort-descending",
    "--variable", "-c", "-f", "-h",
}  # fmt: skip


def flags_of(entry: EntryPoint) -> list[str]:
    """Return the flags of a command, those of all lists and shows aside."""
    parser = entry.load()(None, None).get_parser("openstack")
    flags = {flag for action in parser._actions for flag in action.option_strings}  # noqa: SLF001  # argparse tells it nowhere else
    return sorted(flags - EVERYWHERE)


def lines() -> list[str]:
    """Return a line for each command: its words, then its flags."""
    found = distribution(CLIENT).entry_points
    ours = [each for each in found if each.group.startswith("openstack.")]
    commands = [each for each in ours if not each.group.endswith((".extension", ".base"))]
    named = {each.name.replace("_", " "): each for each in commands}
    return sorted(f"{name}: {' '.join(flags_of(each))}".rstrip() for name, each in named.items())


if __name__ == "__main__":
    version = distribution(CLIENT).version
    head = f"# Made by list_openstack.py from {CLIENT} {version}: do not edit."
    sys.stdout.write("\n".join([head, *lines(), ""]))
