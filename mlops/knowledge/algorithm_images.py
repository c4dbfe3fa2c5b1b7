"""AWS's images of its built-in algorithms: which one an image brings, and of what version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops.ir.dataclass import dataclass
from mlops.knowledge.ecr_images import in_ecr

if TYPE_CHECKING:
    from mlops.knowledge.algorithms import Algorithm

ALGORITHM_ACCOUNTS = frozenset((
    "104374241257", "106583098589", "108575199400", "121014644042", "121021644041", "124985052026", "141502667606",
    "156387875391", "174872318107", "190319476487", "204372634319", "224300973850", "226302683700", "237065988967",
    "246618743249", "249704162688", "257386234256", "257758044811", "258307448986", "266724342769", "272398656194",
    "281123927165", "286214385809", "293181348795", "297031611018", "306986355934", "341280168497", "351501993468",
    "353608530281", "354813040037", "366743142698", "382416733822", "387376663083", "390948362332", "404615174143",
    "414596584902", "433757028032", "438346466558", "450853457545", "451049120500", "455444449433", "469771592824",
    "475088953585", "490574956308", "492215442770", "495149712605", "501404015308", "510948584623", "514117268639",
    "522234722520", "544295431143", "566113047672", "625137255826", "628508329040", "632365934929", "633353088612",
    "644912444149", "651117190479", "659782779980", "662702820516", "664544806723", "669576153137", "680994064768",
    "683313688378", "685385470294", "712309505854", "720646828776", "737474898029", "746614075791", "749696950732",
    "764974769150", "765400339828", "766337827248", "783357654285", "801668240914", "811284229777", "813361260812",
    "825641698319", "833128469047", "835164637446", "855470959533", "867004704886", "898809789911", "951798379941",
    "978288397137", "991648021394", "999678624901", "999911452149",
))  # fmt: skip
"""Accounts of AWS that hold the images of the built-in algorithms (the official SDK's image_uri_config)."""


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """``version`` is the image's tag, empty where it has none."""

    algorithm: Algorithm
    version: str


def built_in(image: str) -> BuiltIn | None:
    """None where it is no image of AWS that brings an algorithm. A copy in one's own account may be another image under
    the same name.

    >>> built_in("683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1").version
    '1.7-1'
    >>> built_in("683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3") is None
    True
    >>> built_in("111122223333.dkr.ecr.us-east-1.amazonaws.com/kmeans:1") is None
    True
    """
    match = in_ecr(image)
    if match is None or match["account"] not in ALGORITHM_ACCOUNTS:
        return None
    from mlops.knowledge.algorithms import algorithm  # most pipelines have none, and need not wait for TOML's reader

    found = algorithm(match["repository"])
    return None if found is None else BuiltIn(found, match["tag"] or "")
