"""What is trained on the features, and how it is applied."""
