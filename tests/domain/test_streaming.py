"""Ports of a setting, and whole packets."""

import pytest

from webinar.domain.streaming import PACKET_BYTES, port_range, whole_packets


@pytest.mark.parametrize(
    ("text", "ports"),
    [("", []), ("9000", [9000]), ("9000-9002", [9000, 9001, 9002])],
)
def test_a_range_of_ports_is_read(text: str, ports: list[int]) -> None:
    assert list(port_range(text)) == ports


@pytest.mark.parametrize("text", ["x", "9000-", "9002-9000", "80", "9000-70000", "9000,9001", "-1"])
def test_what_is_no_range_of_ports_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="port"):
        port_range(text)


@pytest.mark.parametrize("size", [0, 1, PACKET_BYTES - 1, PACKET_BYTES, 3 * PACKET_BYTES + 7])
def test_packets_are_never_torn(size: int) -> None:
    packets, rest = whole_packets(bytes(size))

    assert (len(packets) % PACKET_BYTES, len(packets) + len(rest)) == (0, size)
    assert len(rest) < PACKET_BYTES
