"""Reports the accuracy that it is told."""

import json
import os
import pathlib


def main() -> None:
    place = pathlib.Path("/opt/ml/processing/output/report")
    place.mkdir(parents=True, exist_ok=True)
    report = {"scores": {"by class": [{"accuracy": float(os.environ["ACCURACY"])}]}}
    (place / "evaluation.json").write_text(json.dumps(report))


if __name__ == "__main__":
    main()
