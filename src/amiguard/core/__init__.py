"""The rules, as pure functions over frozen values: standard library only, and "today" is an argument."""
