"""What is baked once and kept: root file systems as layers in a cache, keyed by what made them.

A layer is a folder with a `tree`, and a `layer.json` that says what it was made of and what its
files look like. It is built next to its place and moved there when it is whole. So a build that
dies leaves nothing that could be taken for a layer.
"""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from stackward.errors import Locked, Refused, StepFailed
from stackward.lab.command import run
from stackward.lab.declared import Image, declared

PACKAGE = Path(str(files(__package__)))
LAYER_FORMAT = 1
APT = (
    "apt-get", "-y", "-q", "-o", "APT::Install-Recommends=false", "-o", "Acquire::Languages=none",
    "-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=3",
)  # fmt: skip
# A build must not outlive a killed `lab up`: the next one builds in the same folder. What is put
# behind this dies with its caller, with all that it has started and mounted. The shell in between
# is its PID 1, outside of any chroot: by that systemctl knows that it is in one.
CONTAINED = (
    "setpriv", "--pdeathsig", "KILL", "--", "unshare", "--mount", "--propagation", "private",
    "--pid", "--fork", "--kill-child=KILL", "--mount-proc", "sh", "-c", '"$@" || exit $?', "sh",
)  # fmt: skip
# Manuals and translations are a third of the files and of no use in a lab.
LEFT_OUT = ("/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*")


@dataclass(frozen=True, slots=True)
class Layer:
    """A finished layer of the cache."""

    name: str
    key: str
    folder: Path

    @property
    def tree(self) -> Path:
        """The files."""
        return self.folder / "tree"


class Cache:
    """The folder of layers and downloaded packages, shared by all labs of the machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def layer(self, name: str, key: str) -> Layer:
        """Return where the layer is, or will be when it is built."""
        return Layer(name, key, self.folder / "layers" / f"{name}-{key}")

    def get(self, name: str, key: str) -> Layer | None:
        """Return the layer, checked, or None when it is not there.

        Raises Refused when it is there and its files are not those that were put there.
        """
        layer = self.layer(name, key)
        if not layer.folder.exists():
            return None
        try:
            recorded = json.loads((layer.folder / "layer.json").read_text())["digest"]
        except (OSError, ValueError, KeyError, TypeError):
            recorded = "unreadable"
        if recorded != digest(layer.tree):
            raise Refused(
                f"the cached layer `{layer.folder.name}` is damaged:"
                " its files are not those that were put there",
                stands="nothing was started",
                hint="remove the labs that use it with `stackward lab down --purge`, then remove it"
                " with `stackward lab cache clear`; the next `lab up` builds it again",
            )
        return layer

    @contextmanager
    def building(self, name: str, key: str) -> Iterator[Path]:
        """Give a folder to build `tree` in; it becomes the layer when the block ends well."""
        unfinished = self.folder / "layers" / f".unfinished-{name}-{key}"
        remove_tree(unfinished)
        (unfinished / "tree").mkdir(parents=True)
        try:
            yield unfinished
            record = {"format": LAYER_FORMAT, "digest": digest(unfinished / "tree")}
            (unfinished / "layer.json").write_text(json.dumps(record))
            unfinished.rename(self.layer(name, key).folder)
        finally:
            remove_tree(unfinished)

    @contextmanager
    def locked(self, name: str) -> Iterator[None]:
        """Let one process at a time build layers called `name`; the others wait."""
        (self.folder / "layers").mkdir(parents=True, exist_ok=True)
        with (self.folder / "layers" / f".{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def layers(self) -> list[Path]:
        """Return the folders of all finished layers."""
        return sorted(self.folder.glob("layers/[a-z]*"))

    def clear(self, *, except_for: Collection[str]) -> list[str]:
        """Remove all but the layers named; return the names of those that were removed.

        What a killed build left goes too.

        Raises Locked while something is being built: it needs layers that no lab names yet.
        """
        removed = []
        with ExitStack() as held:
            for lock in self.folder.glob("layers/.*.lock"):
                try:
                    fcntl.flock(held.enter_context(lock.open("w")), fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    raise Locked(
                        "the cache cannot be cleared: a layer is being built in it",
                        hint="wait until that `stackward lab up` is done",
                    ) from None
            for folder in self.layers():
                if folder.name not in except_for:
                    remove_tree(folder)
                    removed.append(folder.name)
            for left in self.folder.glob("layers/.unfinished-*"):
                remove_tree(left)
            if not except_for:
                remove_tree(self.folder / "packages")
        return removed


def key_of(*parts: object) -> str:
    """Return a short name for exactly these inputs."""
    text = json.dumps([LAYER_FORMAT, *parts], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def digest(tree: Path) -> str:
    """Return a digest of the names, kinds, modes and sizes of all files below `tree`."""
    listing = run(["find", tree, "-printf", "%P %y %m %s\n"], env={"LC_ALL": "C"})
    # The size of a folder depends on its history.
    lines = sorted(
        line.rsplit(" ", 1)[0] if " d " in line else line for line in listing.splitlines()
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def sources_digest(*resources: str, top: Path = PACKAGE) -> str:
    """Return a digest of files and folders of this package: what a bake is made from."""
    found = hashlib.sha256()
    for resource in resources:
        place = top / resource
        for file in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if file.is_file() and "__pycache__" not in file.parts:
                found.update(str(file.relative_to(place.parent)).encode() + b"\0")
                found.update(file.read_bytes() + b"\0")
    return found.hexdigest()


def image_key(image: Image, release: str) -> str:
    """Return the cache key of an image: its packages and those of all below it."""
    below = image_key(declared().images[image.on], release) if image.on else release
    return key_of(below, image.packages, image.without, LEFT_OUT)


def build_base(cache: Cache, release: str, mirror: str, log: Path) -> Layer:
    """Return the layer of a plain bootable Debian, made when it is not there."""
    image = declared().images["base"]
    key = image_key(image, release)
    with cache.locked("base"):
        found = cache.get("base", key)
        if found is not None:
            return found
        with cache.building("base", key) as folder:
            run(
                [
                    *CONTAINED, "mmdebstrap", "--variant=minbase", "--mode=root",
                    f"--include={','.join(image.packages)}",
                    '--aptopt=Acquire::Languages "none"',
                    '--aptopt=APT::Install-Recommends "false"',
                    '--aptopt=Acquire::Retries "3"',
                    *(f"--aptopt={line}" for line in apt_proxies()),
                    *(f"--dpkgopt=path-exclude={left_out}" for left_out in LEFT_OUT),
                    release, folder / "tree", mirror,
                ],
                log=log, called="mmdebstrap",
            )  # fmt: skip
            # Each node gets host keys of its own.
            for host_key in (folder / "tree/etc/ssh").glob("ssh_host_*"):
                host_key.unlink()
        return cache.layer("base", key)


def build_image(cache: Cache, name: str, release: str, base: Layer, log: Path) -> Layer:
    """Return the layer with the packages of the image `name`, made when it is not there."""
    image = declared().images[name]
    key = image_key(image, release)
    with cache.locked(name):
        found = cache.get(name, key)
        if found is not None:
            return found
        with cache.building(name, key) as folder:
            root = Chroot(cache, (base.tree,), folder, name=name, log=log)
            refuse_services = folder / "tree/usr/sbin/policy-rc.d"
            refuse_services.parent.mkdir(parents=True)
            refuse_services.write_text("#!/bin/sh\nexit 101\n")
            refuse_services.chmod(0o755)
            root.run([*APT, "update"])
            wanted = (*image.packages, *(f"{package}-" for package in image.without))
            root.run([*APT, "--download-only", "install", *wanted])
            unsafe = ["-o", "Dpkg::Options::=--force-unsafe-io"]
            root.run(["eatmydata", *APT, *unsafe, "install", *wanted])
            # Python compiles what it first imports: once here instead of at every boot.
            compile_all = "python3 -m compileall -q -j 2 /usr/lib/python3*/ >/dev/null 2>&1"
            root.run(["sh", "-c", f"{compile_all} || true"])
            root.run(["sh", "-c", "rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin"])
            refuse_services.unlink()
        return cache.layer(name, key)


class Chroot:
    """A root file system that is being built: commands run in it, on the host's network."""

    def __init__(  # noqa: PLR0913  # where it lies, what it is based on, and where its words go
        self,
        cache: Cache,
        below: Sequence[Path],
        folder: Path,
        *,
        name: str,
        log: Path,
        upper: str = "tree",
    ) -> None:
        self.below, self.folder, self.log = below, folder, log
        self.upper = folder / upper
        # One archive per image: apt locks it.
        self.packages = cache.folder / "packages" / name

    def put(self, place: str, content: bytes) -> None:
        """Write a file inside, private to root."""
        script = f"umask 077; mkdir -p $(dirname {place}) && cat > {place}"
        self.run(["sh", "-c", script], stdin=content)

    def run(self, command: Sequence[str | Path], *, stdin: str | bytes | None = None) -> None:
        """Run `command` as root inside; its words go to the log.

        Raises StepFailed when it fails.
        """
        (self.packages / "partial").mkdir(parents=True, exist_ok=True)
        for part in ("work", "root"):
            (self.folder / part).mkdir(exist_ok=True)
        script = str(files(__package__).joinpath("in_chroot.sh"))
        run(
            [
                *CONTAINED, "sh", script, ":".join(str(layer) for layer in self.below),
                self.upper, self.folder, self.packages, *command,
            ],
            stdin=stdin, log=self.log, timeout_s=1800, called=" ".join(map(str, command[:4])),
        )  # fmt: skip


def apt_proxies() -> list[str]:
    """Return the proxy lines of the host's own apt configuration."""
    dump = run(["apt-config", "dump"], ok=(0, 1))
    return [line.rstrip(";") for line in dump.splitlines() if "Proxy" in line and "Acquire" in line]


def host_mirror() -> str:
    """Return the Debian mirror that the host's own apt sources name.

    Raises Refused when they name none.
    """
    listing = run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)"], ok=(0, 100)
    )
    for line in listing.splitlines():
        uri, _, rest = line.partition(" ")
        if rest.endswith(" main") and uri.rstrip("/").endswith("/debian"):
            return uri.rstrip("/")
    raise Refused(
        "this machine's apt sources name no Debian mirror",
        stands="nothing was started",
        hint="name one with `--mirror URL`",
    )


def check_mirror(mirror: str, release: str, scratch: Path) -> None:
    """Make sure that the mirror answers and has the release.

    Raises Refused otherwise.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    target = scratch / "InRelease"
    url = f"{mirror.rstrip('/')}/dists/{release}/InRelease"
    options = ["-o", "Acquire::Retries=0", "-o", "Acquire::http::Timeout=15"]
    options += ["-o", "APT::Sandbox::User=root"]
    try:
        run(["/usr/lib/apt/apt-helper", *options, "download-file", url, target], timeout_s=60)
    except StepFailed as failed:
        raise Refused(
            f"the package mirror {mirror} does not give the release `{release}`",
            says=failed.says,
            stands="nothing was started",
            hint="name another with `--mirror URL`, or wait until it answers",
        ) from failed
    finally:
        target.unlink(missing_ok=True)


def size_mib(folder: Path) -> int:
    """Return the disk space that a folder takes, in MiB."""
    said = run(["du", "--summarize", "--one-file-system", "--block-size=1M", folder])
    return int(said.split()[0])


def remove_tree(folder: Path) -> None:
    """Remove a folder and all in it, also what is protected; never across a mount."""
    if not folder.exists():
        return
    if any(
        line.split()[1].startswith(f"{folder}/")
        for line in Path("/proc/self/mounts").read_text().splitlines()
    ):
        raise StepFailed(f"something is mounted below {folder}", hint="unmount it first")
    shutil.rmtree(folder, onerror=lambda *_: None)
    if folder.exists() and any(os.scandir(folder)):
        raise StepFailed(f"{folder} cannot be removed")
    folder.rmdir() if folder.exists() else None
