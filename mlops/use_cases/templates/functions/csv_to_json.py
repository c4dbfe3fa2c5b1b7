"""A transformation of Data Firehose: lines of CSV become lines of JSON, so that a stream can write Parquet or ORC.

It needs nothing but Python, and is yours: write the columns of your records below. A record may hold several lines; one of
which a line does not fit fails whole, and lies below the stream's error prefix as it came.
"""

import base64
import csv
import io
import json

COLUMNS = {"id": str, "score": float}
"""Names in the order of the columns; str, int, float or bool."""
DELIMITER = ","
HEADER = False
"""Whether records begin with a line of the columns' names, which is left out."""
LARGEST_ANSWER = 5_500_000
"""A function answers 6 MB at most; JSON repeats its names in each line."""
csv.field_size_limit(1_024_000)  # a record is no longer
TRUE, FALSE = ("true", "t", "yes", "1"), ("false", "f", "no", "0")


def handler(event, context):
    size, told = 0, []
    for record in event["records"]:
        answer = _transformed(record)
        size += len(answer["data"]) + 200
        if size > LARGEST_ANSWER and answer["result"] == "Ok":
            raise ValueError("the answer is larger than 6 MB: give the function less at once (BufferSizeInMBs)")
        told.append(answer)
    return {"records": told}


def _transformed(record):
    try:
        data = base64.b64encode(_json_lines(base64.b64decode(record["data"]).decode("utf-8-sig"))).decode()
    except (ValueError, csv.Error) as error:
        print(f"record {record['recordId']}: {error}")
        return {"recordId": record["recordId"], "result": "ProcessingFailed", "data": record["data"]}
    return {"recordId": record["recordId"], "result": "Ok" if data else "Dropped", "data": data}


def _json_lines(text):
    lines = []
    for number, row in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=DELIMITER, strict=True)):
        if not row or (HEADER and number == 0 and row == list(COLUMNS)):
            continue
        if len(row) != len(COLUMNS):
            raise ValueError(f"line {number + 1} has {len(row)} columns, and not {len(COLUMNS)}")
        values = (_value(kind, cell) for kind, cell in zip(COLUMNS.values(), row))
        lines.append(json.dumps(dict(zip(COLUMNS, values)), allow_nan=False) + "\n")
    return "".join(lines).encode()


def _value(kind, cell):
    """An empty cell is nothing."""
    if cell == "":
        return None
    if kind is bool:
        if cell.lower() not in TRUE + FALSE:
            raise ValueError(f"{cell!r} is neither true nor false")
        return cell.lower() in TRUE
    if kind is not str and "_" in cell:
        raise ValueError(f"{cell!r} is no number")  # to Python it is one
    return kind(cell)
