"""AWS's framework images: they have no algorithm of their own, and train nothing unless they are told a script."""

from __future__ import annotations

import re

from mlops.knowledge.ecr_images import in_ecr

_NEEDS_SCRIPT = re.compile(
    r"(pytorch|tensorflow|mxnet|huggingface-(pytorch|tensorflow)|autogluon)(-trcomp)?-training(-neuronx?|-graviton)?"
    r"|sagemaker-(scikit-learn|pytorch|mxnet|chainer|tensorflow(-scriptmode)?|rl-[a-z0-9-]+)"
)
"""Repositories whose container wants a script. XGBoost's is an algorithm too, so it is not among them."""

_SERVES_ITSELF = re.compile(
    r"djl-(inference|serving|neuronx).*|huggingface-(pytorch|llm)-(tgi|tei|neuronx)-?inference.*|huggingface-vllm.*|tei(-cpu)?"
    r"|tensorflow-inference.*|sagemaker-tritonserver|stabilityai-pytorch-inference.*|vllm.*"
)
"""Repositories whose container answers by a server that is not Python's: LLMs and TensorFlow's."""

_ACCOUNTS = frozenset((
    "007439368137", "010526262399", "048378556238", "057415533634", "094389454867", "104374241257", "106583098589",
    "108575199400", "110948597952", "121021644041", "124382933778", "124985052026", "141502667606", "151534178276",
    "167761179201", "190319476487", "204133271717", "204538143572", "205493899709", "217643126080", "226302683700",
    "227234621604", "237065988967", "246618743249", "246785580436", "249704162688", "254080097072", "257386234256",
    "257758044811", "263933020539", "272398656194", "275950707576", "281123927165", "286214385809", "301217895009",
    "303241398832", "306986355934", "313743910680", "324986816169", "341280168497", "354813040037", "355873309152",
    "364406365360", "366743142698", "371248457586", "380420809688", "387376663083", "390948362332", "406031935815",
    "414596584902", "422961961927", "423003514399", "433757028032", "442386744353", "446045086412", "450853457545",
    "451049120500", "453391408702", "454834333376", "455444449433", "457447274322", "462105765813", "464438896020",
    "469771592824", "472730292857", "474822919863", "475088953585", "490574956308", "492215442770", "501404015308",
    "503227376785", "510948584623", "520713654638", "544295431143", "550225433462", "590183813437", "601324751636",
    "626614931356", "628508329040", "632365934929", "633930458069", "637423239942", "644912444149", "651117190479",
    "658645717510", "659782779980", "662702820516", "669576153137", "680994064768", "683313688378", "685385470294",
    "692866216735", "710691900526", "720646828776", "724002660598", "727897471807", "737474898029", "744548109606",
    "746233611703", "746614075791", "749696950732", "751086301963", "756306329178", "763008648453", "763104351884",
    "764974769150", "765400339828", "772153158452", "774647643957", "780543022126", "783357654285", "785573368785",
    "801668240914", "802834080501", "811284229777", "813361260812", "825641698319", "833128469047", "836785723513",
    "855470959533", "867004704886", "871362719292", "886529160074", "898809789911", "907027046896", "914824155844",
    "925152966179", "935523707064", "941853720454", "951798379941", "966458181534", "975050140332", "978288397137",
    "991648021394",
))  # fmt: skip
"""Accounts of AWS that hold them (the official SDK's image_uri_config, 2026-11)."""


PUBLISHED = {
    "sagemaker-scikit-learn": ("0.20.0", "0.23-1", "1.0-1", "1.2-1", "1.4-2", "1.9-0"),
    "sagemaker-xgboost": ("0.90-1", "0.90-2", "1.0-1", "1.2-1", "1.2-2", "1.3-1", "1.5-1", "1.7-1", "3.0-5", "3.2-0"),
}
"""Versions of repositories that have few, oldest first (the official SDK's image_uri_config, 2026-11)."""


def needs_script(image: str) -> bool:
    """Whether that is an image of AWS that runs a script and nothing else. A copy in one's own account may be another
    image under the same name.

    >>> needs_script("683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3")
    True
    >>> needs_script("683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1")
    False
    """
    return _NEEDS_SCRIPT.fullmatch(_repository(image)) is not None


def serves_itself(image: str) -> bool:
    """Whether that is an image of AWS whose server is none that handlers in Python stand for.

    >>> serves_itself("763104351884.dkr.ecr.us-east-1.amazonaws.com/djl-inference:0.29.0-lmi11.0.0-cu124")
    True
    >>> serves_itself("763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-inference:2.3.0-cpu-py311")
    False
    """
    return _SERVES_ITSELF.fullmatch(_repository(image)) is not None


def is_of_aws(account: str) -> bool:
    """Whether that is an account of AWS that holds framework images."""
    return account in _ACCOUNTS


def _repository(image: str) -> str:
    """Empty where it is no image of AWS's accounts."""
    match = in_ecr(image)
    return match["repository"] if match is not None and match["account"] in _ACCOUNTS else ""
