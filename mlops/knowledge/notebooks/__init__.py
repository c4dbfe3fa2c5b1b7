"""What is known of SageMaker's notebook instances: what is wrong with one and with its scripts, and the script that
stops one in which nothing runs."""
