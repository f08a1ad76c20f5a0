"""IAM policies for what this version calls, and for those who may share images at all."""
