"""Text from files, or a clear word about why there is none."""

from pathlib import Path

from stackward.errors import BadInput


def read_text(path: Path) -> str:
    """Return what is in an inventory file."""
    hint = None
    try:
        if path.is_dir():
            reason = "it is a directory"
            hint = f"name one file in it: `--inventory {path}/FILE`"
        else:
            text = path.read_text(encoding="utf-8-sig")
            if not text.startswith("#!"):
                return text
            reason = "it is a script, and Stackward runs none"
            hint = f"keep what it prints: `ansible-inventory -i {path} --list --yaml > FILE.yaml`"
    except FileNotFoundError:
        reason = "there is no such file"
        hint = "name one with `--inventory FILE` or in STACKWARD_INVENTORY"
    except UnicodeDecodeError as error:
        reason = f"it is not UTF-8 text (byte {error.start + 1})"
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
    raise BadInput(f"cannot read the inventory `{path}`: {reason}", hint=hint)
