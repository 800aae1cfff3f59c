"""What a call may include: the first level by the server, deeper ones by follow-up requests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kantata_async import Path, UsageError, path
from kantata_async.calls.include import NOTHING_INCLUDED, Inclusion, read_inclusion

ODD_PATHS: Final[list[Any]] = [None, 7, ["user"], b"user", ("user", "manager")]
KNOWN: Final = ("user", "workspace", "workspace_role")


@pytest.mark.parametrize(
    ("include", "names", "deeper"),
    [
        ([], (), ()),
        ((), (), ()),
        (["user"], ("user",), ()),
        (("workspace", "user"), ("workspace", "user"), ()),
        (["user", "user"], ("user",), ()),
        ([path("user")], ("user",), ()),
        ([path("user.manager")], ("user",), (("user", "manager"),)),
        (["user.manager"], ("user",), (("user", "manager"),)),
        (
            ["workspace_role", path("user.manager.role"), "user"],
            ("workspace_role", "user"),
            (("user", "manager", "role"),),
        ),
        (
            [path("user.manager"), path("user.role")],
            ("user",),
            (("user", "manager"), ("user", "role")),
        ),
    ],
)
def test_an_include_is_split(include: Any, names: tuple[str, ...], deeper: tuple[tuple[str, ...], ...]) -> None:
    """Each first step is asked of the server once, in the order given."""
    assert read_inclusion(include, KNOWN) == Inclusion(names, deeper)


@pytest.mark.parametrize(
    ("include", "says"),
    [
        ("user", r"include takes a list: include=\['user'\]"),
        (path("user.manager"), "include takes a list"),
        (None, "include takes a list of associations, not None"),
        (7, "include takes a list of associations, not 7"),
        ({"user"}, "include takes a list of associations"),
        ({"user": 1}, "include takes a list of associations"),
        (iter(["user"]), "include takes a list of associations"),
        (["usr"], "'usr' cannot be included here; did you mean 'user'"),
        (["zzz"], "'zzz' cannot be included here; there are user, workspace, workspace_role"),
        (["User"], "'User' cannot be included here; did you mean 'user'"),
        (["usr.manager"], "'usr' cannot be included here"),
        (["user_id"], "'user_id' cannot be included here"),
        (["user,workspace"], "association names joined by dots, not 'user,workspace'"),
        (["user", ""], "association names joined by dots, not ''"),
        ([["user"]], r"association names joined by dots, not \['user'\]"),
        ([None], "association names joined by dots, not None"),
        (b"user", "association names joined by dots, not 117"),
    ],
)
def test_a_wrong_include_is_refused(include: Any, says: str) -> None:
    """The server would ignore it in silence."""
    with pytest.raises(UsageError, match=says):
        read_inclusion(include, KNOWN)


def test_nothing_can_be_included_where_nothing_is_known() -> None:
    """An operation without includes says no more than that."""
    assert read_inclusion((), ()) == NOTHING_INCLUDED
    with pytest.raises(UsageError, match=r"'user' cannot be included here$"):
        read_inclusion(["user"], ())


@pytest.mark.parametrize("steps", ["user", "user.manager", "user.account_membership.default_role"])
def test_a_path_is_its_text(steps: str) -> None:
    """Of a separate type, so that a type checker takes it for an include."""
    made = path(steps)
    assert made == steps
    assert type(made) is Path
    assert path(made) == made


@pytest.mark.parametrize(
    "steps",
    [
        "",
        ".",
        "user.",
        ".user",
        "user..role",
        "user role",
        "user\n",
        "user,role",
        "user/role",
        "1",
        "a.1b",
        "us-er",
        *ODD_PATHS,
    ],
)
def test_what_is_no_path_is_refused(steps: Any) -> None:
    """When it is made, not when it is used."""
    with pytest.raises(UsageError, match="a path must be association names joined by dots"):
        path(steps)


@pytest.mark.parametrize("make", [path, lambda steps: read_inclusion([steps], KNOWN)], ids=["path", "include"])
@given(steps=st.text() | st.integers() | st.none() | st.lists(st.text()))
def test_any_value_is_a_path_or_is_refused(make: Callable[[Any], object], steps: Any) -> None:
    """With UsageError and nothing else."""
    try:
        make(steps)
    except UsageError:
        return
    assert all(step.isidentifier() for step in steps.split("."))
