"""Image URIs taken apart, and what is known of AWS's own images from their names."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ECR = re.compile(
    r"(?P<account>\d{12})\.dkr[.-]ecr(-fips)?[.-](?P<region>[a-z0-9-]+)\.[a-z.]+"
    r"/(?P<repository>[^:@]+)(:(?P<tag>[^@]*))?(@.*)?"
)
_FRAMEWORK = re.compile(
    r"(?P<framework>pytorch|tensorflow|mxnet|huggingface-(pytorch|tensorflow)(-tgi|-trcomp)?)"
    r"-(?P<scope>training|inference)(?P<neuron>-neuronx?)?(-graviton|-eia)?"
)
_PROCESSOR = re.compile(r"(^|-)(?P<processor>cpu|gpu)(-|$)")
_PYTHON = re.compile(r"-(?P<python>py\d+)(-|$)")

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
class Image:
    """``framework``, ``scope`` (training, inference), ``processor`` (cpu, gpu, neuron) and ``python`` are of AWS's deep
    learning containers and None for others; ``version`` is the first part of their tag."""

    account: str
    region: str
    repository: str
    tag: str | None
    framework: str | None = None
    scope: str | None = None
    processor: str | None = None
    version: str | None = None
    python: str | None = None


def parse(uri: str) -> Image | None:
    """None where it is no image in ECR.

    >>> parse("763104351884.dkr.ecr.eu-west-1.amazonaws.com/pytorch-training:2.3.0-gpu-py311").processor
    'gpu'
    """
    match = _ECR.fullmatch(uri) if len(uri) < 1024 else None
    if match is None:
        return None
    repository, tag = match["repository"], match["tag"]
    known = _FRAMEWORK.fullmatch(repository)
    if known is None or tag is None:
        return Image(match["account"], match["region"], repository, tag)
    named, python = _PROCESSOR.search(tag), _PYTHON.search(tag)
    return Image(
        match["account"],
        match["region"],
        repository,
        tag,
        framework=known["framework"],
        scope=known["scope"],
        processor="neuron" if known["neuron"] else named["processor"] if named else None,
        version=tag.partition("-")[0],
        python=python["python"] if python else None,
    )
