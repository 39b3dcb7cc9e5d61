"""What a model does over many pictures: a row each, in a Parquet file, however many there are."""
