"""Rows in memory as a Parquet file, the same as a survey on the disk."""

import json

import numpy as np

from explorer.survey.found import Rows
from explorer.survey.parts import ABOUT, COMPRESSION, arrow, packed, table

LEVEL = 19  # of the compression: slow to write, small, and as quick to read


def parquet_of(rows: Rows) -> bytes:
    """The file. Numbers stand byte by byte, first bytes first, which compresses what is alike."""
    pa = arrow()
    told = {**rows.about, "openness": packed(rows.about["openness"])}
    whole = table(rows.columns).replace_schema_metadata({ABOUT: json.dumps(told).encode()})
    numbers = [
        f"{name}.list.element" if np.ndim(values) == 2 else name
        for name, values in rows.columns.items()
        if isinstance(values, np.ndarray) and values.dtype.kind == "f"
    ]
    texts = [name for name, values in rows.columns.items() if not isinstance(values, np.ndarray)]
    file = pa.BufferOutputStream()
    pa.parquet.write_table(
        whole,
        file,
        compression=COMPRESSION,
        compression_level=LEVEL,
        use_dictionary=texts,
        use_byte_stream_split=numbers,
    )
    return file.getvalue().to_pybytes()
