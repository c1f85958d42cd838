"""What only a chain has to ask: whether its items are different things, and who goes first."""

from stackward.policy.rule import Rule

TWICE = Rule(
    "chain/named-twice",
    "is named twice: {names} are one node",
    "name each node once, then plan again",
    "Its second run would wait for the first, and find nothing to do.",
)
CANARY_TOO_WIDE = Rule(
    "chain/canary-too-wide",
    "the canary takes {canary} at once, but only {nodes} of the chain are in the first failure "
    "domain",
    "pass `--canary {count}` or less, or `--at-once 1`: one node at a time",
    "A canary goes first to find what would go wrong: it takes down no second failure domain.",
)
