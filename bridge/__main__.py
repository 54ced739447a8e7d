"""Entry of the command `tollbridge`, and of `python -m bridge`."""

import sys

from bridge.cli.group import start


def main() -> None:
    """Run the command line with the arguments of this process, and end with its exit status."""
    sys.exit(start(sys.argv[1:]))


if __name__ == "__main__":
    main()
