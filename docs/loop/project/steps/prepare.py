"""What was known before, and captured requests of the window that have a label by now."""

import json
import sys
from base64 import b64decode
from pathlib import Path

FOLDER = Path("/opt/ml/processing")
since, until = sys.argv[1:]

lines = [line for file in sorted((FOLDER / "input" / "base").glob("*.csv")) for line in file.read_text().splitlines()]
known = len(lines)

labels: dict[str, str] = {}
for file in sorted((FOLDER / "input" / "labels").rglob("*.jsonl")):
    for text in file.read_text().splitlines():
        told = json.loads(text)
        labels[told["eventMetadata"]["eventId"]] = told["groundTruthData"]["data"]

for file in sorted((FOLDER / "input" / "captures").rglob("*.jsonl")):
    for text in file.read_text().splitlines():
        seen = json.loads(text)
        about = seen["eventMetadata"]
        label = labels.get(about.get("inferenceId", ""))
        if label is not None and since <= about["inferenceTime"] <= until:
            given = seen["captureData"]["endpointInput"]
            text = b64decode(given["data"]).decode() if given["encoding"] == "BASE64" else given["data"]
            lines.append(f"{text.strip()},{label}")

out = FOLDER / "output" / "train"
out.mkdir(parents=True, exist_ok=True)
(out / "train.csv").write_text("\n".join(lines) + "\n")
print(f"{known} rows known before, {len(lines) - known} that the endpoint saw")
