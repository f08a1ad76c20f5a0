"""What the house needs and users do not: pages that are made from the program, and the documentation site."""
