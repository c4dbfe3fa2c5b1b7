"""What is known of policies of IAM, whoever writes them."""
