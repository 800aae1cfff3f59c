"""What must hold whatever the network does: long runs with faults, each with its seed; `nox -s chaos` runs them."""
