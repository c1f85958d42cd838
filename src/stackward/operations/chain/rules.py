"""What only a chain has to ask: whether its items are different things."""

from stackward.policy.rule import Rule

TWICE = Rule(
    "chain/named-twice",
    "is named twice: {names} are one node",
    "name each node once, then plan again",
    "Its second run would wait for the first, and find nothing to do.",
)
