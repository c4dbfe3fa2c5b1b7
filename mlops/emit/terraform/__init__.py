"""Configurations of Terraform: a template of CloudFormation, spelt as the AWS provider's resources."""
