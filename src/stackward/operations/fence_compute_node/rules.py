"""What only a fence by itself has to say: it is not undone."""

from stackward.policy.rule import Rule

NO_UNDO = Rule(
    "fence/no-undo",
    "cut the power of a node: no run takes that back",
    "find out why the node was fenced; switch it on by its device and see on its console that it "
    "is well; then `stackward node return {host}`",
    "A node that has died is well only once somebody has seen why.",
)
