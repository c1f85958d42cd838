"""Lines for people: broken between words, and a command never."""

from stackward.report.text import wrap

COMMAND = "`stackward volume reattach db-01 e4369832-da97-4636-ab53-009a599a9b86`"


def test_a_command_that_is_longer_than_a_line_stays_whole_on_a_line_of_its_own() -> None:
    """Seen: a reader could not copy a command, for it was broken in three lines."""
    lines = wrap(f"look first who has the volume; then {COMMAND} does it", 40, rest="  ")

    assert lines == ["look first who has the volume; then", f"  {COMMAND}", "  does it"]


def test_a_command_that_fits_the_next_line_is_moved_there() -> None:
    lines = wrap("nothing was changed: `run show 01M8` has all", 32)

    assert lines == ["nothing was changed:", "`run show 01M8` has all"]


def test_two_stray_marks_of_a_foreign_text_do_not_make_one_word_of_it() -> None:
    text = f"a ` b {'word ' * 100}` c"

    assert max(map(len, wrap(text, 80))) <= 80
