"""Mutation testing of the core: break its code on purpose, in a thousand small ways, and see whether a test notices."""
