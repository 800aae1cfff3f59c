"""What programs may rely on, written down."""

from __future__ import annotations

from difflib import unified_diff

from public_face import SNAPSHOT, public_face


def test_the_public_face_is_as_it_was_written_down() -> None:
    """Every public name with its signature; a change that is meant is renewed: `python tests/public_face.py`."""
    kept = SNAPSHOT.read_text(encoding="utf-8").splitlines()
    changes = list(unified_diff(kept, public_face().splitlines(), "written down", "as it is", lineterm="", n=2))
    assert not changes, "\n".join(
        ["the public face changed; if that is meant, run `python tests/public_face.py`:", *changes[:80]]
    )
