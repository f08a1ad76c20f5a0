"""The checks: one a file, each with its metadata and an `evaluate` function; `registry` lists them."""
