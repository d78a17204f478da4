"""Exit 0 if a server can listen on HOST PORT; otherwise say why not and what to do, and exit 1."""

import socket
import sys


def main() -> int:
    host, port = sys.argv[1], sys.argv[2]
    if not port.isdecimal() or not 0 < int(port) < 65536:
        sys.stderr.write(f"PORT is a number from 1 to 65535, not {port!r}.\n")
        return 1
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As the server does it: a port in TIME_WAIT after a restart counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, int(port)))
        except OSError as error:
            sys.stderr.write(
                f"Cannot listen on {host}, port {port}: {error.strerror}. "
                f"Stop what listens there, or choose another: PORT=8001 ./run\n"
            )
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
