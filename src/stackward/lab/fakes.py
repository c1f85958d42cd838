"""Many nova-computes with Nova's own fake driver, all on one node: for scale, without guests.

A fake compute cannot be restarted: its driver makes up a new node id each time, and Nova refuses
that. A lab with fakes is taken back to its first state by `lab reset`.
"""

from stackward.lab import ssh
from stackward.lab.configuration import template
from stackward.lab.ready import fake_hosts
from stackward.lab.spec import Lab


def start(lab: Lab) -> None:
    """Start the lab's fake computes, each with a state folder of its own; without any: nothing.

    Raises Unreachable or StepFailed when their node does not do it.
    """
    for node in (node for node in lab.nodes if node.role == "fake"):
        names = " ".join(fake_hosts(lab))
        ssh.on_node(lab, node.name, f"set -- {names}\n" + template("bake/fakes.sh"))
