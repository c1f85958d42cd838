"""Show a run while it goes on: a live picture on a terminal, a line per event elsewhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self, TextIO

from stackward.model.duration import Span
from stackward.model.run import Event, Run
from stackward.plan import (
    CAUGHT_UP,
    BeginsRun,
    FromHost,
    Kinds,
    Move,
    Part,
    Plan,
    Standing,
    Step,
    with_caught_up,
)
from stackward.plan.path import move_of
from stackward.report.duration import in_time, left_of, one_after_another, span_of, together
from stackward.report.gone import GONE, how_it_went, is_gone
from stackward.report.names import Names, steps_of
from stackward.report.runs import how_far
from stackward.report.text import on_one_line, wrap
from stackward.report.times import in_words, time_of_day
from stackward.wording import count_of

if TYPE_CHECKING:
    from rich.console import Group
    from rich.live import Live

_UNTOLD = {"approved", "answered", "late"}
_SHOWN = {Standing.UNDERWAY: "under way"}
_OURS = ("reason", "worker", "by")  # all else that an event says is a service's words


@dataclass(frozen=True, slots=True)
class Going:
    """A step that is under way."""

    thing: str
    what: str
    standing: str
    left: str | None  # to be copied
    since: datetime


class Story:
    """What is known of a run from its plan and from its events so far."""

    def __init__(
        self, plan: Plan[Any] | None, kinds: Kinds | None = None, names: Names | None = None
    ) -> None:
        """Begin a story; `plan` is None where this version does not understand it.

        `kinds` are those of the moves that a stage of it catches up with, `names` those of its
        moves where there is no plan.
        """
        self._plan, self._kinds = plan, kinds
        self._names = names or Names()
        self._read_plan()
        self._done: set[str] = set()
        self._since: dict[str, datetime] = {}
        self._told_failed: set[str] = set()
        self._begun: dict[str, datetime] = {}  # by the path of a move
        self._over: set[str] = set()  # same

    def _read_plan(self) -> None:
        plan = self._plan
        self._steps = dict(steps_of(plan)) if plan else {}
        self._names = Names.of_plan(plan) if plan else self._names
        moves = [
            (stage.path_of(move), move)
            for stage, move in (plan.moves() if plan else ())
            if move.thing_id and any(isinstance(step, FromHost) for step in move.steps)
        ]
        self._count = len(moves)
        # Whichever way a server goes, it has moved with the last step of that way.
        self._last = {
            path
            for at, move in moves
            for part in (Part.STEPS, Part.INSTEAD)
            for path, _ in [*move.steps_at(at, part)][-1:]
        }

    def take(self, events: Sequence[Event]) -> list[str]:
        """Take note of what happened; return a line for each event that matters."""
        self._over |= {event.step for event in events if event.what == "failed"}
        lines = [(event.at, self._line(event)) for event in events]
        return [f"{time_of_day(at)} {on_one_line(in_words(line))}" for at, line in lines if line]

    def going(self, run: Run) -> list[Going]:
        """Return what is under way, with how far it was when it was last looked at."""
        return [self._going(path, since, run.progress) for path, since in self._since.items()]

    def left(self, now: datetime) -> str | None:
        """Say how long the servers' moves will still take, as far as their plan shows it."""
        stages = []
        for stage in self._plan.stages if self._plan else ():
            paths = {stage.path_of(move): move for move in stage.moves if move.thing_id}
            # Those under way come first: they have their places already.
            ordered = sorted(paths, key=lambda path: path not in self._begun)
            spans = [
                self._left_of(path, paths[path], now) for path in ordered if path not in self._over
            ]
            stages.append(together(filter(None, spans), stage.at_once))
        whole = one_after_another(filter(None, stages))
        return f"about {in_time(whole, 'left')}" if whole and whole.high > 0 else None

    def _left_of(self, path: str, move: Move[Any], now: datetime) -> Span | None:
        span, began = span_of(move.expects), self._begun.get(path)
        return left_of(span, (now - began).total_seconds()) if span and began else span

    @property
    def moved(self) -> str:
        """Say how many servers have moved; nothing, where none is to move."""
        if not self._count:
            return ""
        return f"{len(self._done)} of {count_of(self._count, 'server has', 'servers have')} moved"

    def _line(self, event: Event) -> str | None:
        name, why = self._names.of_event(event), self._why(event)
        match event.what:
            case what if what in _UNTOLD:
                line = None
            case what if what == CAUGHT_UP and self._plan and self._kinds:
                self._plan = with_caught_up(self._plan, [event], self._kinds)
                self._read_plan()
                new = [
                    self._names.moves[stage.path_of(move)]
                    for stage, move in self._plan.moves()
                    if stage.name == event.step
                ]
                line = f"new since the plan was approved: {', '.join(new)}"
            case "intended":
                self._since[event.step] = event.at
                self._begun.setdefault(move_of(event.step), event.at)
                number = event.says.get("attempt")
                line = f"{name}: started{f', attempt {number}' if number != 1 else ''}"
            case "found done":
                self._end(event.step)
                line = f"{name}: {self._went(event) or 'done already'}"
            case "settled: done":
                began = self._end(event.step)
                took = f", {(event.at - began).total_seconds():.0f} s" if began else ""
                target = self._saw(event, "target")
                took = f", {went}" if (went := self._went(event)) else took
                line = f"{name}: done{took}{f', now on `{target}`' if target else ''}"
                if event.step in self._last and (left := self.left(event.at)):
                    line += f"; {left}"
            case what if what.startswith("settled: "):
                self._end(event.step, is_done=False)
                self._told_failed.add(move_of(event.step))
                line = f"{name}: {what.removeprefix('settled: ')}{why}"
            case "failed" if event.step in self._told_failed:
                line = None
            case "is slow":
                line = f"{name}: slow, under way for {event.says.get('after_s')} s"
            case what:
                line = f"{name}: {what}{why}" if name else f"{what}{why}"
        return line

    def _end(self, path: str, *, is_done: bool = True) -> datetime | None:
        if is_done and path in self._last:
            self._done.add(path)
            self._over.add(move_of(path))
        return self._since.pop(path, None)

    @staticmethod
    def _why(event: Event) -> str:
        """Return our words for it, then the service's."""
        words = {name: said for name, said in event.says.items() if isinstance(said, str)}
        request = words.pop("request", None)
        words.pop("read", None)  # by what a proof holds is for the audit
        told = [words.pop(name) for name in _OURS if name in words]
        told += [
            f'"{said}"' if who == "says" else f'{who} says: "{said}"' for who, said in words.items()
        ]
        return f": {'; '.join(told)}{f' ({request})' if request else ''}" if told else ""

    def _went(self, event: Event) -> str | None:
        """Say how a thing went that is gone; such a server has not moved."""
        saw = event.says.get("saw")
        if not (isinstance(saw, Mapping) and is_gone(saw)):
            return None
        if event.step in self._done:
            self._done.discard(event.step)
            self._count -= 1
        return f"{GONE}: {how_it_went(saw)}"

    @staticmethod
    def _saw(event: Event, name: str) -> object:
        saw = event.says.get("saw")
        return saw.get(name) if isinstance(saw, Mapping) else None

    def _going(self, path: str, since: datetime, progress: Mapping[str, Any]) -> Going:
        _, step = self._steps.get(path, (None, None))
        seen = progress.get(path) or {}
        reason, standing = seen.get("reason"), seen.get("standing", "started")
        return Going(
            thing=self._names.of_move(path),
            what=_what(step),
            standing=f"{_SHOWN.get(standing, standing)}{f': {reason}' if reason else ''}",
            left=how_far(seen),
            since=since,
        )


def _what(step: Step[Any] | None) -> str:
    """Return what a step does, in a word; of one that begins a run, what that run does."""
    if step is None:
        return ""
    return step.summary if isinstance(step, BeginsRun) else step.kind


class Follower:
    """Shows a story as it grows. Use it as a context manager around the whole run."""

    def __init__(self, story: Story, out: TextIO) -> None:
        self._story, self._out = story, out
        self._live: Live | None = None

    def __enter__(self) -> Self:
        """Begin to show."""
        if self._out.isatty():
            # Only a terminal needs rich.
            from rich.console import Console  # noqa: PLC0415
            from rich.live import Live  # noqa: PLC0415

            self._live = Live(
                console=Console(file=self._out),
                auto_refresh=False,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the lines; the picture has no meaning any more."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def show(self, run: Run, news: Sequence[Event], now: datetime) -> None:
        """Show what is new, and what is under way now."""
        for line in self._story.take(news):
            self.say(line)
        if self._live is not None:
            self._live.update(self._picture(run, now), refresh=True)

    def say(self, line: str) -> None:
        """Say something that stays."""
        if self._live is not None:
            fitted = "\n".join(wrap(line, self._live.console.width, rest="  "))
            self._live.console.print(fitted, markup=False, highlight=False, soft_wrap=True)
        else:
            self._out.write(f"{line}\n")
            self._out.flush()

    def _picture(self, run: Run, now: datetime) -> "Group":
        from rich.console import Group  # noqa: PLC0415  # as above
        from rich.table import Table  # noqa: PLC0415  # as above
        from rich.text import Text  # noqa: PLC0415  # as above

        told = "; ".join(filter(None, (self._story.moved, self._story.left(now))))
        going = self._story.going(run)
        copies = ["To copy"] if any(each.left for each in going) else []
        picture = Table("", "Step", "State", *copies, "Seconds", box=None)
        for each in going:
            seconds = str(round((now - each.since).total_seconds()))
            left = [each.left or ""] if copies else []
            cells = (each.thing, each.what, in_words(each.standing), *left, seconds)
            picture.add_row(*(Text(on_one_line(cell)) for cell in cells))
        return Group(*([picture] if going else []), *([Text(told, style="italic")] if told else []))
