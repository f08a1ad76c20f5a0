"""Measurements of amiguard, and the fake EC2 that they and the tests run against."""
