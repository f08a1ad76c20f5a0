"""What other tools keep of trust and exceptions, read from their files: with every loss told."""
