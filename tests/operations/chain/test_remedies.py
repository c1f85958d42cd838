"""What a verdict on a chain advises settles it; those on its runs are their own operations'."""

from dataclasses import replace

from builders import asking
from operations.chain.test_plan import a_request, in_racks, plans_of
from raising import raised_by
from stackward.operations.chain.plan import plan_chain
from stackward.plan import dump
from stackward.requests.chain import ChainItem


def test_named_once_a_node_is_no_longer_twice_in_it() -> None:
    again = ChainItem(name="c1.example", asked=dump(replace(asking(), node="c1.example")))
    asked = replace(a_request("c1"), items=(*a_request("c1").items, again))

    [blocker] = plan_chain(plans_of("c1", "c1"), asked).blockers
    after = plan_chain(plans_of("c1"), a_request("c1"))

    assert (blocker.worry, blocker.remedy) == (
        "chain/named-twice",
        "name each node once, then plan again",
    )
    assert "`c1`, `c1.example`" in blocker.reason
    assert after.blockers == ()


def test_a_canary_of_one_failure_domain_is_not_too_wide() -> None:
    names = ("c1", "c2", "c3", "c4")

    [blocker] = plan_chain(in_racks(*names), a_request(*names, at_once=2, canary=3)).blockers
    after = plan_chain(in_racks(*names), a_request(*names, at_once=2, canary=2))

    assert (blocker.worry, blocker.thing) == ("chain/canary-too-wide", "rack-1")
    assert "`--canary 2` or less" in blocker.remedy
    assert after.blockers == ()


def test_it_raises_no_other_rule_of_its_own() -> None:
    assert {"chain/canary-too-wide", "chain/named-twice"} == {
        rule for rule in raised_by("chain") if rule.startswith("chain/")
    }
