"""Templates of CloudFormation: what they are made of, and how they are written."""
