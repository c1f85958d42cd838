"""The files that the settings of a cloud name: certificates and keys, tried before any call."""

import os
import ssl
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from stackward.errors import BadInput

if TYPE_CHECKING:
    from openstack.config.cloud_region import CloudRegion


class UnusableSettings(BadInput):
    """Settings of a cloud that was found, and with which nobody can log in.

    A check says so and looks at the nodes all the same; all else ends with it.
    """


# `requests` takes these where the settings name no CA of their own.
_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def try_files(config: "CloudRegion") -> None:
    """Load the certificates that services get from us, and those that check the services.

    Raises OSError for a file that cannot be read, and for one that is no certificate or key
    (`ssl.SSLError` is an OSError too).
    """
    verify, cert = config.get_requests_verify_args()
    if verify is True:
        verify = next((os.environ[name] for name in _BUNDLES if os.environ.get(name)), True)
    if isinstance(verify, str) and not Path(verify).is_dir():
        _load(verify, partial(ssl.create_default_context, cafile=verify))
    if cert:
        shown, key = (cert, None) if isinstance(cert, str) else (cert[0], cert[1])
        texts = [Path(each).read_text(errors="replace") for each in (shown, key) if each]
        if not any("ENCRYPTED" in each for each in texts):  # those ask for a passphrase
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            _load(shown, partial(context.load_cert_chain, shown, key))


def _load(path: str, load: Callable[[], object]) -> None:
    """Load a file; what is wrong with it is said with its name."""
    try:
        load()
    except ssl.SSLError as error:
        raise OSError(f"{path}: no certificate or key that can be used: {error}") from error
    except OSError as error:  # `ssl` does not say which file
        raise OSError(error.errno, error.strerror, path) from error
