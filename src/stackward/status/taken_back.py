"""What is left to do with a run whose dead node somebody has since taken back."""

from stackward.ports.world import World


def end_the_run(world: World) -> str:
    """Say that the run must be ended, not resumed: what is still dead needs a new plan."""
    run = world.acting.run if world.acting else "RUN"
    return (
        f"end this run: `stackward run cancel {run}`; if the node is dead again, plan its "
        "evacuation again"
    )
