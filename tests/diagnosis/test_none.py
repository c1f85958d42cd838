"""Whether a caller may have handed over the None on which a call failed, by the two lines alone."""

import pytest

from stackward.diagnosis.witnesses import has_none_from_caller
from stackward.logs.tracebacks import read_traceback

ID = "AttributeError: 'NoneType' object has no attribute 'id'"
ITEM = "TypeError: 'NoneType' object is not subscriptable"
IN = "TypeError: argument of type 'NoneType' is not iterable"
CALL = "TypeError: 'NoneType' object is not callable"
ASKED = "self.driver.attach(context, instance)"


def is_handed_over(asked: str, failed: str, error: str) -> bool:
    lines = [
        "Traceback (most recent call last):",
        '  File "/usr/lib/python3/dist-packages/nova/compute/manager.py", line 1, in attach',
        f"    {asked}",
        '  File "/usr/lib/python3/dist-packages/nova/virt/libvirt/driver.py", line 2, in attach',
        f"    {failed}",
        error,
    ]
    return has_none_from_caller(read_traceback(lines)[-1])


@pytest.mark.parametrize(
    ("asked", "failed", "error"),
    [
        (ASKED, "instance.id", ID),
        (ASKED, "if self.id != instance.id:", ID),
        (ASKED, "LOG.debug('x.id of %s', instance.id)  # or bdm.id", ID),
        (ASKED, "Guest(instance=instance.id, host=host.name)", ID),
        (ASKED, "if instance == bdm and instance.id:", ID),
        (ASKED, "instance.host = instance.id", ID),
        (ASKED, "return instance['x']", ITEM),
        (ASKED, "if 'x' in instance:", IN),
        ("self.driver.attach(context, instance=instance)", "instance.id", ID),
        ("instance = self.driver.attach(context, instance)", "instance.id", ID),
        ("context, instance)", "instance.id", ID),
    ],
)
def test_the_only_name_that_can_be_none_is_an_argument_of_the_caller(
    asked: str, failed: str, error: str
) -> None:
    assert is_handed_over(asked, failed, error)


@pytest.mark.parametrize(
    ("asked", "failed", "error"),
    [
        # Two can be what is None.
        (ASKED, "if bdm.id != instance.id:", ID),
        (ASKED, "if self.bdm.id != instance.id:", ID),
        (ASKED, "if self.get(bdm).id != instance.id:", ID),
        (ASKED, "foo(instance[0], self.info['x'])", ITEM),
        (ASKED, "if 'x' in instance or 'x' in bdm:", IN),
        (ASKED, "if 'x' in (instance, bdm):", IN),
        # Another one is.
        (ASKED, "if instance[0] in bdm:", IN),
        (ASKED, "callback(instance[0])", CALL),
        (ASKED, "foo('instance.id')", ID),
        # The line itself assigns it.
        (ASKED, "instance = self.get(context); instance.id", ID),
        (ASKED, "bdm, instance = self.get(context); instance.id", ID),
        (ASKED, "return [instance.id for instance in found]", ID),
        (ASKED, "return (instance := self.get(context)).id or instance.id", ID),
        (ASKED, "return sorted(found, key=lambda instance: instance.id)", ID),
        (ASKED, "with self.get(context) as instance: instance.id", ID),
        # The caller's line does not hand it over.
        ("self.driver.attach('instance')", "instance.id", ID),
        ('self.driver.attach("the instance, \'", context)', "instance.id", ID),
        ("self.driver.attach(context)  # (instance)", "instance.id", ID),
        ("if instance and self.driver.attach(context):", "instance.id", ID),
        ("instance, bdm = self.driver.attach(context)", "instance.id", ID),
        ("for bdm, instance, _ in self.driver.attach(context):", "instance.id", ID),
        ("self.driver.attach(context, instance.host)", "instance.id", ID),
    ],
)
def test_what_two_lines_do_not_tell_is_not_said_of_the_caller(
    asked: str, failed: str, error: str
) -> None:
    assert not is_handed_over(asked, failed, error)
