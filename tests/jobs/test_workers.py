"""Who holds a lease, and whether they are still there."""

import subprocess
import sys

from webinar.jobs.workers import is_dead, own_name


def test_two_leases_of_one_process_have_two_owners() -> None:
    assert own_name() != own_name()


def test_a_process_that_runs_is_not_dead() -> None:
    assert not is_dead(own_name())


def test_a_process_that_has_ended_is_dead_unless_another_computer_had_it() -> None:
    host = own_name().partition(":")[0]
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()

    assert is_dead(f"{host}:{process.pid}:ab12")
    assert not is_dead(f"not-{host}:{process.pid}:ab12")
