"""Numbers and sizes in words: one function for each, so that all texts count and round alike."""

_STEP = 1024
_UNITS = ("KiB", "MiB", "GiB", "TiB", "PiB")


def count_of(number: int, one: str, many: str | None = None) -> str:
    """Say how many there are: "1 server", "2 servers"; `many` where an "s" does not do."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def in_size(size: float) -> str:
    """Say a number of bytes, rounded to a tenth of the unit: "1.9 GiB", "300 MiB"."""
    if size < _STEP:
        return count_of(round(size), "byte")
    amount, unit = size, ""
    for unit in _UNITS:  # noqa: B007  # the last one is for all that is larger
        amount /= _STEP
        if round(amount, 1) < _STEP:
            break
    return f"{f'{amount:.1f}'.removesuffix('.0')} {unit}"
