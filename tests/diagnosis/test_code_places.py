"""Where in a service's code something is."""

import time
from datetime import UTC, datetime
from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackward.diagnosis.accused import CALLS, accused_by
from stackward.diagnosis.code_places import (
    LAYERS,
    PASSED_OVER,
    STORES,
    has_form,
    path_in_package,
    place_of_logger,
)
from stackward.diagnosis.components import OF_MODULES
from stackward.diagnosis.signs import SIGNS, WORDS, Sign, sign_of
from stackward.logs.event import Event, Level


@pytest.mark.parametrize(
    ("file", "module"),
    [
        ("/usr/lib/python3/dist-packages/nova/compute/manager.py", "nova/compute/manager.py"),
        ("/usr/lib/python2.7/site-packages/nova/compute/manager.py", "nova/compute/manager.py"),
        (
            "/usr/lib/python2.7/site-packages/nova-16.1.8-py2.7.egg/nova/compute/api.py",
            "nova/compute/api.py",
        ),
        ("/opt/stack/nova/nova/compute/manager.py", "nova/compute/manager.py"),
        ("/opt/stack/new/neutron-lib/neutron_lib/db/api.py", "neutron_lib/db/api.py"),
        ("/var/lib/kolla/venv/lib/python3.12/site-packages/cinder/rpc.py", "cinder/rpc.py"),
        ("/usr/share/nova/compute/manager.py", "nova/compute/manager.py"),
        ("/home/nova/src/nova/virt/driver.py", "nova/virt/driver.py"),
        ("/opt/swift/nova/nova/virt/driver.py", "nova/virt/driver.py"),
        (
            "/opt/stack/nova/nova/api/openstack/placement/objects/x.py",
            "nova/api/openstack/placement/objects/x.py",
        ),
        ("/usr/lib/python3.12/threading.py", None),
    ],
)
def test_a_module_is_the_path_within_its_package(file: str, module: str | None) -> None:
    assert path_in_package(file) == module


FORMS = (
    *LAYERS, *PASSED_OVER, *STORES, *(form for form, _ in OF_MODULES), *(one[0] for one in CALLS)
)  # fmt: skip


@given(
    st.sampled_from(FORMS),
    st.sampled_from(FORMS),
    st.sampled_from(["", "nova/", "x"]),
    st.sampled_from(["", "/", "py", "\n"]),
)
def test_a_name_has_a_form_as_the_name_of_a_file_has(
    form: str, other: str, before: str, behind: str
) -> None:
    """No form has another sign than `*` that stands for something."""
    name = before + other.replace("*", behind)

    assert not set(form) & set("?[]")
    assert has_form(name, form) == fnmatchcase(name, form)


@pytest.mark.parametrize(
    ("logger", "module"),
    [
        ("nova.compute.manager", "nova/compute/manager.py"),
        ("cinder.volume.drivers.lvm", "cinder/volume/drivers/lvm.py"),
        ("oslo_messaging.rpc.server", None),
        ("nova", None),
        ("nova.osapi_compute.wsgi.server", None),
        ("neutron.agent.linux.utils", None),
    ],
)
def test_a_logger_is_called_like_its_module_unless_it_is_a_layers(
    logger: str, module: str | None
) -> None:
    place = place_of_logger(logger)

    assert (place.module if place else None) == module


@pytest.mark.parametrize("sign", SIGNS, ids=lambda one: one.sample)
def test_a_sign_is_found_in_its_sample(sign: Sign) -> None:
    assert sign.form.search(sign.sample)


@pytest.mark.parametrize("sign", SIGNS, ids=lambda one: one.sample)
def test_a_sign_below_a_warning_has_a_word_by_which_it_is_read(sign: Sign) -> None:
    is_read = sign.level >= Level.WARNING or any(word in sign.sample for word in WORDS)

    assert is_read


@pytest.mark.parametrize("words", ["Error: x ", "libvirt ", "Identity server ", "instance "])
def test_a_line_of_many_alike_words_is_judged_at_once(words: str) -> None:
    event = Event(
        at=datetime(2026, 11, 28, tzinfo=UTC), node="ctl", component="nova-compute", file="x",
        offset=0, format="oslo", level=Level.ERROR, message=words * 20_000, user="u",
        module="nova.compute.manager",
    )  # fmt: skip
    began = time.process_time()

    sign_of(event)
    accused_by(event, None, ())

    assert time.process_time() - began < 1
