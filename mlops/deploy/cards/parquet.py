"""Tables in Parquet, read by pyarrow where that is installed: it weighs more than all else that we want."""

from __future__ import annotations

import importlib
import importlib.util
import io
from typing import Any

from mlops.deploy.cards.columns import Reading

_ENDINGS = (".parquet", ".pq")
_ROWS, _VALUES = 4096, 2_000_000
"""At most so many are in memory at a time."""
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
        rows, values = file.metadata.num_rows, _values(file.metadata)
        if values > most:
            return False
        together = max(1, min(_ROWS, _VALUES * rows // max(1, values)))
        try:
            for batch in file.iter_batches(batch_size=together):
                for row in batch.to_pylist():
                    reading.record(row)
        except OverflowError as error:  # a time behind the year 9999
            raise ValueError(str(error)) from None
    return True


def _values(metadata: Any) -> int:
    """With those in lists: a row may have any number."""
    groups = (metadata.row_group(number) for number in range(metadata.num_row_groups))
    return sum(group.column(at).num_values for group in groups for at in range(group.num_columns))
