"""Every line of a block's source with the tensors it made."""
