"""`python -m amiguard`."""

from amiguard.cli.main import main

if __name__ == "__main__":
    main()
