"""Parquet, by pyarrow: batch by batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mlops.monitor.cells import Cells, Chunk, of_array, of_values
from mlops.monitor.fault import Fault


def chunks(files: Sequence[Path], options: Mapping[str, Any], size: int) -> Iterator[Chunk]:
    try:
        import pyarrow as arrow
        import pyarrow.parquet as parquet
    except ImportError:
        raise Fault("reading Parquet wants pyarrow in the Python that runs the check: pip install pyarrow") from None
    for file in files:
        try:
            with parquet.ParquetFile(file) as opened:
                for batch in opened.iter_batches(batch_size=size):
                    yield {name: _cells(batch.column(name), arrow.types) for name in batch.schema.names}
        except (arrow.ArrowInvalid, OSError) as fault:
            raise Fault(f"{file.name} is no Parquet: {fault}") from None


def _cells(column: Any, types: Any) -> Cells:
    integral, kind = types.is_integer(column.type), column.type
    if column.null_count == 0 and (integral or types.is_floating(kind)):
        return of_array(column.to_numpy(zero_copy_only=False))
    values = column.to_pylist()
    if integral or types.is_floating(kind) or types.is_boolean(kind) or types.is_string(kind):
        return of_values(values)
    if types.is_decimal(kind):
        return of_values([None if value is None else float(value) for value in values])
    return of_values([None if value is None else str(value) for value in values])
