"""Whether a picture is like those a model was trained on."""
