"""Redirections: neither a login nor a token goes to a host that was not asked.

The SDK follows a redirection with all that was in the request. It sends a login to the address that
it found out.
"""

from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urljoin, urlsplit

from requests import Response

from stackward.errors import Refused

if TYPE_CHECKING:
    from keystoneauth1.session import Session

REDIRECTS = {301, 302, 303, 305, 307, 308}


class Elsewhere(Refused):
    """An API sends us to another host, or out of TLS."""

    def __init__(self, answer: Response, asked: SplitResult, to: SplitResult) -> None:
        is_login = "X-Auth-Token" not in answer.request.headers
        super().__init__(
            f"`{_place(asked)}` sends us elsewhere, to `{_place(to)}`: "
            f"the {'login' if is_login else 'token'} is shown to no other host",
            hint="correct `auth_url` in clouds.yaml or OS_AUTH_URL, or the proxy of Keystone"
            if is_login
            else "correct its endpoint (`openstack endpoint list`), or its proxy",
        )
        self.answer = answer


def stay_on_host(session: "Session") -> None:
    """Refuse every redirection to another host, for all requests of the session."""
    hooks = session.session.hooks["response"]
    if _refuse not in hooks:
        hooks.append(_refuse)


def target_of(answer: Response) -> str:
    """Return where a redirection leads; raise `Elsewhere` where that is another host."""
    target = urljoin(str(answer.url), answer.headers.get("Location", ""))
    asked, to = urlsplit(str(answer.url)), urlsplit(target)
    if to.hostname != asked.hostname or (to.scheme, asked.scheme) == ("http", "https"):
        _ = answer.content  # read, so that the connection is given back
        raise Elsewhere(answer, asked, to)
    return target


def _place(at: SplitResult) -> str:
    return f"{at.scheme}://{at.netloc.rpartition('@')[2]}"


def _refuse(answer: Response, **_: object) -> None:
    if answer.status_code in REDIRECTS:
        target_of(answer)
