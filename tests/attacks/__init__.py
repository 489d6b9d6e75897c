"""What is thrown at the course: attacks as data, and the programs that try them."""
