"""What is left to do with a run whose dead node somebody has taken back meanwhile."""

from stackward.ports.world import World


def end_the_run(world: World) -> str:
    """Say that the run is to be ended, not resumed: what is still dead is planned anew."""
    run = world.acting.run if world.acting else "RUN"
    return (
        f"end this run: `stackward run cancel {run}`; if the node is dead again, plan its "
        "evacuation again"
    )
