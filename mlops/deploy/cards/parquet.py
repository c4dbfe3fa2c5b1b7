"""Tables in Parquet, read by pyarrow where that is installed: it weighs more than all else that we want."""

from __future__ import annotations

import importlib
import importlib.util
import io
from typing import Any

from mlops.deploy.cards.columns import Reading

_ENDINGS = (".parquet", ".pq")
_ROWS = 4096
WITHOUT = "is Parquet, which pyarrow reads: `pip install pyarrow`"


def is_parquet(name: str) -> bool:
    """
    >>> is_parquet("part-0.snappy.parquet"), is_parquet("a.csv")
    (True, False)
    """
    return name.lower().endswith(_ENDINGS)


def can_read() -> bool:
    return importlib.util.find_spec("pyarrow") is not None


def read(reading: Reading, content: bytes, most: int) -> bool:
    """Of a whole file: what says where its columns are stands at its end. Not where it has more values than ``most``,
    for a few bytes may stand for a million of them. Raises what pyarrow does, ValueError for what is none."""
    tables: Any = importlib.import_module("pyarrow.parquet")
    with tables.ParquetFile(io.BytesIO(content)) as file:
        if file.metadata.num_rows * file.metadata.num_columns > most:
            return False
        for batch in file.iter_batches(batch_size=_ROWS):
            for row in batch.to_pylist():
                reading.record(row)
    return True
