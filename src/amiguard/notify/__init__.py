"""Messages about audits, to people. The package renders values of version 1 and talks to Apprise's services."""
