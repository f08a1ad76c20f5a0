"""What AWS knows of an image beside its launch permission: the ports of `core.evidence_ports`, against AWS."""
