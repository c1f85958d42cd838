"""Carry a run of the yard out as a command does: python yard_command.py PLACE URL RUN [POINT].

With a point it is killed there: each write and each change.
"""

import signal
import sys
from dataclasses import replace
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2] / "src")]

from engine.fakes import House, Yard  # noqa: E402  # found by the line above
from engine.killed import PACE, Watch  # noqa: E402
from killing import Fate  # noqa: E402
from stackward.app.carrying import carry_on  # noqa: E402
from stackward.errors import StackwardError  # noqa: E402


def main(place: str, url: str, run_id: str, point: str = "0") -> int:
    here, fate = Path(place), Fate(int(point), signal.SIGKILL)
    house = House(here, clock=Watch(), pace=PACE, database=url)
    run = house.journal.run(run_id)
    yard = Yard(here / run.holds[0], fate)
    context = replace(
        house.context(fate), world_of=lambda run: replace(house.world(), yard=yard, run=run)
    )
    try:
        print(carry_on(run.id, context, house.brakes, seen=run.epoch).state)
    except StackwardError as error:
        print(error.message)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
