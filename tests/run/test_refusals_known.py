"""Where a run refuses a step, and what tells it before: a rule, what this machine can do (A030), data (A031), or
nothing, since only the execution knows. A refusal that is not in the table has to be put there."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from mlops.check.codes import known_codes

MLOPS = Path(__file__).parent.parent.parent / "mlops"
ROOMS = ("run", "account/local")
BY_MISTAKE_OF_OURS = "a plug-in's or a reader's mistake, which is told where it is made"
READ, MADE = (
    "what an earlier step gives is known when that has ended",
    "what the step itself makes is known when it ends",
)
ARCHIVE = "what lies in an archive or an object is known when it is read"

KNOWN: dict[str, tuple[int, str]] = {
    "account/local/catalog_tables.py as_files": (3, "a table of the catalog is read when its rows are brought"),
    "run/actions/__init__.py action_of": (1, "A030"),
    "run/actions/callback.py _Asked.poll": (1, "an answer is known when somebody gives it"),
    "run/actions/callback.py start": (2, "X702"),
    "run/actions/check.py _Checking._violations": (1, MADE),
    "run/actions/check.py _results": (1, "X715 X881"),
    "run/actions/lambda_.py _Called.poll": (1, MADE),
    "run/actions/lambda_.py start": (1, "A030"),
    "run/actions/lineage.py _end": (1, "X732"),
    "run/actions/training.py _Run._close": (1, MADE),
    "run/actions/training.py _need_torchrun": (1, "A030"),
    "run/actions/training.py _place_code": (2, f"A030; {ARCHIVE}"),
    "run/actions/transform.py _TransformTask._post": (1, MADE),
    "run/actions/transform.py _fits": (1, ARCHIVE),
    "run/actions/transform.py _plan": (1, "A031"),
    "run/archive.py _add": (2, MADE),
    "run/archive.py _write": (2, MADE),
    "run/archive.py merged": (2, MADE),
    "run/archive.py unpack": (1, ARCHIVE),
    "run/baselines.py _flag": (1, "X711"),
    "run/baselines.py check_of": (2, "X710 A030"),
    "run/cluster.py cluster": (1, "A030 X758"),
    "run/conditions.py _holds": (3, "C602 C604"),
    "run/conditions.py _kind": (1, "C603"),
    "run/conditions.py _listed": (1, "C603"),
    "run/data_processing.py DataProcessing._parsed": (2, ARCHIVE),
    "run/data_processing.py DataProcessing.kept": (1, ARCHIVE),
    "run/data_processing.py _selected": (1, "X790"),
    "run/data_processing.py data_processing": (2, "X790 X796"),
    "run/datasets.py _queried": (2, "a query is answered, or not, when it is asked"),
    "run/datasets.py _read": (2, ARCHIVE),
    "run/datasets.py _write": (2, "which columns a query gives, and of which types, it says when it is answered"),
    "run/datasets.py brought": (6, "A030"),
    "run/images.py interpreter_for": (1, f"A032; {ARCHIVE}"),
    "run/log.py compiled_metrics": (1, "X761"),
    "run/loop.py Loop._chosen": (1, READ),
    "run/loop.py _items": (2, f"X720 X721; {READ}"),
    "run/loop.py _member": (2, f"X727; {READ}"),
    "run/loop.py _selector": (1, "X725"),
    "run/loop.py open_loop": (1, "X726"),
    "run/processing_job.py _exit_message": (1, MADE),
    "run/requirements.py check_requirements": (1, f"A032; {ARCHIVE}"),
    "run/resolve.py _execution_variable": (2, "R304 R311"),
    "run/resolve.py _get": (5, "R301 R302 R303"),
    "run/resolve.py _json_document": (5, f"R323 X929; {READ}"),
    "run/resolve.py _json_get": (4, "R320 R321 R323"),
    "run/resolve.py _step_property": (2, f"R306 G107; {READ}"),
    "run/resolve.py as_text": (1, "R330"),
    "run/resolve.py as_texts": (1, "R330"),
    "run/resolve.py resolve": (1, BY_MISTAKE_OF_OURS),
    "run/secrets.py _from_file": (1, "the user's file of stand-ins is read when the step starts"),
    "run/secrets.py _stand_in": (2, "A030; what a secret holds is looked at when it is needed"),
    "run/serving/model_data.py place_model": (2, "X740 A030"),
    "run/stand_in.py _copy": (1, "what a stub names in the account may go until it is read"),
    "run/step_outputs.py _typed": (1, MADE),
    "run/step_outputs.py outputs_of": (2, MADE),
    "run/training_toolkit.py script_of": (1, "A030"),
    "run/training_toolkit.py torchrun": (3, f"A030; {ARCHIVE}"),
    "run/transfer.py Upload._key": (1, MADE),
    "run/transfer.py Upload.changed": (1, MADE),
    "run/transfer.py below_opt_ml": (1, "A030"),
    "run/transfer.py fetch": (2, f"A031; {ARCHIVE}"),
    "run/transfer.py left_in": (2, MADE),
    "run/transfer.py manifest_places": (2, ARCHIVE),
    "run/transfer.py safe": (1, ARCHIVE),
    "run/transfer.py source_places": (4, "A030 A031"),
    "run/transform_capture.py TransformCapture._object": (1, MADE),
    "run/transform_capture.py _values": (1, MADE),
    "run/tuning/plan.py _goal": (1, "X777"),
    "run/tuning/plan.py plan": (1, "X773"),
    "run/tuning/space.py _number": (3, "X770"),
    "run/tuning/space.py space": (1, "X777"),
    "run/tuning/strategies/__init__.py search": (1, "S204"),
    "run/tuning/strategies/grid.py search": (1, "X776 X982"),
    "run/tuning/strategies/hyperband.py search": (2, "X776 X982"),
    "run/tuning/warm_start.py earlier": (1, "another tuning job may end until this one starts"),
    "run/work.py Work.job_kind": (1, BY_MISTAKE_OF_OURS),
    "run/work.py Work.need_possible": (1, "A030"),
}
ELSEWHERE = ("run/training_rules.py",)
"""Rules of training have tests of their own."""


def refusals() -> Iterator[str]:
    for room in ROOMS:
        for file in sorted((MLOPS / room).rglob("*.py")):
            yield from _of(file.relative_to(MLOPS).as_posix(), ast.parse(file.read_text(encoding="utf-8")), ())


def _of(file: str, node: ast.AST, names: tuple[str, ...]) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        made = child.exc.func if isinstance(child, ast.Raise) and isinstance(child.exc, ast.Call) else None
        if isinstance(made, ast.Name) and made.id == "StepFailed":
            yield f"{file} {'.'.join(names)}"
        inner = isinstance(child, ast.FunctionDef | ast.ClassDef)
        yield from _of(file, child, (*names, child.name) if inner else names)  # type: ignore[attr-defined]


def test_each_refusal_says_what_tells_it_before() -> None:
    there = Counter(item for item in refusals() if not item.startswith(ELSEWHERE))
    assert dict(there) == {place: count for place, (count, _) in KNOWN.items()}


def test_what_tells_it_is_there() -> None:
    codes = known_codes()
    for place, (_, told) in KNOWN.items():
        named = [word for word in told.partition(";")[0].split() if word[:1].isupper() and word[1:].isdigit()]
        assert set(named) <= codes.keys(), place
        assert named or " " in told, place
