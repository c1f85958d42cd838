"""What is warned of by a return alone."""

from stackward.policy.rule import Worry

HA_UNSEEN = Worry(
    "ha-unseen",
    "the instance-HA service could not be asked whether it leaves the node alone still: {why}",
    "see `openstack segment list` for its SEGMENT, then `openstack segment host list SEGMENT`; "
    "`openstack segment host update --on_maintenance False SEGMENT {host}` ends it",
    "It would not restart the servers of this node, should it fail.",
)
NO_PORT = Worry(
    "no-port",
    "its acceptance server is booted without a port: networking is not proved",
    "name a network with `--network`",
    "A port is made in a network of the operator's choice, never in a guessed one.",
)
