"""What blocks undoing a run, of any operation."""

from stackward.policy.rule import Rule

NOTHING_TO_UNDO = Rule(
    "nothing-to-undo",
    "has left nothing that can be undone: {why}",
    "there is nothing to do",
    "Only what a run did itself, and what is still its doing, is undone.",
)
NO_WAY_BACK = Rule(
    "no-way-back",
    "is itself an undo: it is not undone in turn",
    "do again what it undid, by a drain or a return: {again}",
    "The run that it undid is over, and a new plan is judged by what is so now.",
)
