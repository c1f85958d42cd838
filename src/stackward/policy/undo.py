"""What stands against undoing a run, whatever operation it was of."""

from stackward.policy.rule import Rule

NOTHING_TO_UNDO = Rule(
    "nothing-to-undo",
    "has left nothing that can be undone: {why}",
    "there is nothing to do",
    "Only what a run did itself, and what is still its doing, is undone.",
)
