"""Files that people write and read: the settings file, and the edits that keep it theirs."""
