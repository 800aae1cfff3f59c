"""What a copy came to, as a value and as text."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kantata_async.errors import TargetError
from kantata_async.sync import JobReport, Report

USERS = JobReport("users", read=1_200, new=3, changed=2, requests=6, seconds=1.25, behind=timedelta(seconds=180))
STORIES = JobReport("stories", not_sent=tuple("abcdefg"), error=TargetError("the disk\nis full"))


def test_a_report_has_its_jobs_by_name() -> None:
    """Another name is a KeyError, as of any mapping."""
    report = Report([USERS, STORIES])
    assert report["users"] is USERS
    with pytest.raises(KeyError, match="skills"):
        report["skills"]


def test_a_report_reads_as_a_table() -> None:
    """A line for each job, then what failed, and which columns never came."""
    report = Report([USERS, STORIES])
    assert not report.ok
    head, users, _, failed, absent = str(report).splitlines()
    assert head.split() == ["read", "new", "changed", "deleted", "requests", "seconds", "behind"]
    assert users.split() == ["users", "1,200", "3", "2", "0", "6", "1.2", "180", "s"]
    assert failed == "stories failed: the disk is full"
    assert absent == "stories came without a, b, c, d, e and 2 more"
