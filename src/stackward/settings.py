"""Where Stackward keeps its things: from STACKWARD_* variables, else from the usual places.

Root's places are the machine's (`/var/lib`); another user's are their own (XDG).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from stackward.errors import BadInput

PREFIX = "STACKWARD_"


def _whole(path: Path) -> Path:
    """Accept `~/x` and `/x`; a relative path would mean another place in every directory."""
    expanded = path.expanduser()
    if not expanded.is_absolute():
        message = "is not an absolute path"
        raise ValueError(message)
    return expanded


Place = Annotated[Path, AfterValidator(_whole)]


class Settings(BaseModel):
    """What the operator may set for all commands."""

    model_config = ConfigDict(frozen=True)

    state_dir: Place = Field(description="what Stackward must not forget: labs, runs, journals")
    cache_dir: Place = Field(description="what can be built again: images, downloads")
    inventory: Place = Field(description="the inventory that names the nodes")
    database: str | None = Field(
        default=None,
        repr=False,  # there may be a password in it
        description="where runs are remembered: `postgresql://USER@HOST/NAME`",
    )


def read_settings(environ: Mapping[str, str], *, is_root: bool) -> Settings:
    """Read the settings from environment variables; what is not set has its usual place."""
    usual = usual_places(environ, is_root=is_root)
    given = {name: environ.get(PREFIX + name.upper()) for name in Settings.model_fields}
    chosen = {name: value or usual.get(name) for name, value in given.items()}
    try:
        return Settings.model_validate(chosen)
    except ValidationError as error:
        wrong = [str(fault["loc"][0]) for fault in error.errors()]
        raise BadInput(
            "a setting is not an absolute path",
            details=[f"{PREFIX}{name.upper()}={chosen[name]}" for name in wrong],
            hint="start the path with `/` or `~/`",
        ) from error


def usual_places(environ: Mapping[str, str], *, is_root: bool) -> dict[str, str]:
    """Return the place of each setting that is not set."""
    if is_root:
        return {
            "state_dir": "/var/lib/stackward",
            "cache_dir": "/var/cache/stackward",
            "inventory": "/etc/stackward/inventory",
        }
    return {
        "state_dir": _xdg(environ, "XDG_STATE_HOME", "~/.local/state"),
        "cache_dir": _xdg(environ, "XDG_CACHE_HOME", "~/.cache"),
        "inventory": _xdg(environ, "XDG_CONFIG_HOME", "~/.config") + "/inventory",
    }


def _xdg(environ: Mapping[str, str], variable: str, otherwise: str) -> str:
    # The XDG specification: an unset, empty or relative value counts as not set.
    given = environ.get(variable, "")
    return f"{given if given.startswith('/') else otherwise}/stackward"
