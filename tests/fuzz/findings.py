"""What fuzzing has found: inputs that once were neither read nor refused as they should be. Each stays mended."""

FINDINGS: tuple[tuple[str, str, bytes], ...] = ()
"""What was wrong, the target, and the input."""
