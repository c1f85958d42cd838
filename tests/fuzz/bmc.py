"""A BMC that answers by Redfish as it was recorded, with one page of it changed."""

import json
from collections.abc import Callable
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import mkdtemp
from threading import Thread

from fuzz.source import Came, Source
from stackward.adapters.power.logins import Logins
from stackward.adapters.power.redfish import Redfish
from stackward.errors import StackwardError
from stackward.model.power import PowerState
from stackward.overriding import override

SAMPLE = Path(__file__).with_name("samples") / "bmc.json"
SYSTEM = "/redfish/v1/Systems/5d1c0000-0000-0000-0000-000000000000"
CARDS = f"{SYSTEM}/EthernetInterfaces"
WITHIN_S = 5.0


class Pages(BaseHTTPRequestHandler):
    """Each page under its path."""

    pages: dict[str, bytes]

    def do_GET(self) -> None:
        page = self.pages.get(self.path, b"{}")
        self.send_response(200 if self.path in self.pages else 404)
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    @override
    def log_message(self, *_: object) -> None:
        pass


@cache
def served() -> tuple[dict[str, bytes], Redfish]:
    """Serve the recorded pages; return them, to be changed, and the BMC."""
    Pages.pages = {}
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    Thread(target=server.serve_forever, daemon=True).start()
    file = Path(mkdtemp()) / "logins"
    file.touch(mode=0o600)
    file.write_text("default login admin password kennwort-der-bmc\n")
    url = f"http://127.0.0.1:{server.server_port}{SYSTEM}"
    return Pages.pages, Redfish(url=url, logins=Logins(file))


def recorded() -> dict[str, bytes]:
    """Return the pages of a BMC of the lab, by path."""
    pages = json.loads(SAMPLE.read_text())
    return {path: json.dumps(page).encode() for path, page in pages.items()}


def of(path: str) -> Callable[[bytes], Came]:
    """Return how Stackward reads a BMC of which this page is changed."""

    def read(raw: bytes) -> Came:
        pages, bmc = served()
        pages.update(recorded() | {path: raw})
        try:
            told = bmc.describe(WITHIN_S)
        except StackwardError:
            return Came.REFUSED
        assert told.state is PowerState.ON or b"Off" in raw, "off is what a BMC has said"
        return Came.READ

    return read


def sources() -> list[Source]:
    """Return the pages that are read."""
    pages = recorded()
    card = next(path for path in pages if path.startswith(f"{CARDS}/"))
    return [
        Source(name=f"BMC {name}", sample=pages[path].decode(), is_json=True, read=of(path))
        for name, path in (("system", SYSTEM), ("cards", CARDS), ("card", card))
    ]
