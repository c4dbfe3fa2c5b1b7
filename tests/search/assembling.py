"""A real OpenSearch from Maven Central, put together in build/opensearch: there is no archive of it there, but each of
its parts. Tests that want it are skipped where it is not; ``make opensearch`` makes it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

VERSION = "2.19.6"
LOG4J = "2.25.4"
"""What the server's own log4j-api is of; log4j-core is not among what it depends on."""
ROOT = Path(__file__).parent.parent.parent
HOME = ROOT / "build" / "opensearch"
MODULES = {
    "transport-netty4-client": ("transport-netty4", "org.opensearch.transport.Netty4Plugin", ""),
    "lang-painless": ("lang-painless", "org.opensearch.painless.PainlessPlugin", ""),
    "analysis-common": ("analysis-common", "org.opensearch.analysis.common.CommonAnalysisPlugin", "lang-painless"),
    "reindex-client": ("reindex", "org.opensearch.index.reindex.ReindexPlugin", ""),
    "ingest-common": ("ingest-common", "org.opensearch.ingest.common.IngestCommonPlugin", "lang-painless"),
    "lang-mustache-client": ("lang-mustache", "org.opensearch.script.mustache.MustachePlugin", ""),
    "mapper-extras-client": ("mapper-extras", "org.opensearch.index.mapper.MapperExtrasPlugin", ""),
    "aggs-matrix-stats-client": (
        "aggs-matrix-stats",
        "org.opensearch.search.aggregations.matrix.MatrixAggregationPlugin",
        "",
    ),
    "geo": ("geo", "org.opensearch.geo.GeoModulePlugin", ""),
}
"""By artifact: name, class, and the module that it extends. Their jars have no descriptor, which is written here."""
PLUGINS = ("opensearch-job-scheduler", "opensearch-ml-plugin")
_WHOLE = " ".join((VERSION, *MODULES, *PLUGINS))
"""What one that is there was made of."""
_BESIDE = {"lang-painless": "opensearch-scripting-painless-spi"}
_SETTINGS = """\
cluster.name: here
discovery.type: single-node
network.host: 127.0.0.1
node.roles: [cluster_manager, data, ingest, ml]
cluster.routing.allocation.disk.threshold_enabled: false
plugins.ml_commons.only_run_on_ml_node: false
plugins.ml_commons.native_memory_threshold: 100
plugins.ml_commons.jvm_heap_memory_threshold: 100
"""
_LOGGING = """\
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d %p %c{1} %m%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
"""


def is_whole() -> bool:
    return (HOME / "whole").is_file() and (HOME / "whole").read_text() == _WHOLE


def assemble() -> None:
    """Raises CalledProcessError where Maven refuses."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        parts = {
            "lib": [
                _dependency("org.opensearch", "opensearch", VERSION),
                _dependency("org.opensearch", "opensearch-plugin-classloader", VERSION),
                _dependency("org.apache.logging.log4j", "log4j-core", LOG4J),
            ]
        }
        for artifact in MODULES:
            beside = [_BESIDE[artifact]] if artifact in _BESIDE else []
            parts[artifact] = [_dependency("org.opensearch.plugin", name, VERSION) for name in (artifact, *beside)]
        for plugin in PLUGINS:
            parts[plugin] = [_dependency("org.opensearch.plugin", plugin, f"{VERSION}.0", "zip")]
        for name, dependencies in parts.items():
            (work / name).mkdir()
            (work / name / "pom.xml").write_text(_pom(name, "".join(dependencies)))
        modules = "".join(f"<module>{name}</module>" for name in parts)
        (work / "pom.xml").write_text(_pom("all", "", f"<packaging>pom</packaging><modules>{modules}</modules>"))
        subprocess.run(
            [
                "mvn", "-q", "-B", "dependency:copy-dependencies", "-DincludeScope=runtime",
                "-DoutputDirectory=${project.basedir}/jars",
            ],
            cwd=work,
            check=True,
        )  # fmt: skip
        made = work / "home"
        shutil.copytree(work / "lib" / "jars", made / "lib")
        own = {jar.name for jar in (made / "lib").iterdir()}
        for artifact, (name, entry, extends) in MODULES.items():
            for jar in (work / artifact / "jars").iterdir():
                # The same class twice is refused.
                if jar.name not in own:
                    (made / "modules" / name).mkdir(parents=True, exist_ok=True)
                    shutil.copy(jar, made / "modules" / name)
            (made / "modules" / name / "plugin-descriptor.properties").write_text(
                f"description={name}\nversion={VERSION}\nname={name}\nclassname={entry}\njava.version=11\n"
                f"opensearch.version={VERSION}\nextended.plugins={extends}\nhas.native.controller=false\n"
            )
        for plugin in PLUGINS:
            shutil.unpack_archive(next((work / plugin / "jars").glob(f"{plugin}-*.zip")), made / "plugins" / plugin)
        # Annotations for compilers, which a plugin brings once more.
        for jar in (made / "lib").glob("error_prone_annotations-*.jar"):
            jar.unlink()
        (made / "config").mkdir()
        (made / "config" / "opensearch.yml").write_text(_SETTINGS)
        (made / "config" / "log4j2.properties").write_text(_LOGGING)
        subprocess.run(
            ["javac", "-cp", f"{made}/lib/*", "-d", str(made), str(Path(__file__).with_name("Launch.java"))], check=True
        )
        (made / "whole").write_text(_WHOLE)
        HOME.parent.mkdir(exist_ok=True)
        shutil.rmtree(HOME, ignore_errors=True)
        shutil.move(made, HOME)


def _dependency(group: str, artifact: str, version: str, kind: str = "jar") -> str:
    # What a plugin's archive depends on lies in it.
    everything = "<exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion>"
    alone = "" if kind == "jar" else f"<exclusions>{everything}</exclusions>"
    return (
        f"<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId><version>{version}</version>"
        f"<type>{kind}</type>{alone}</dependency>"
    )


def _pom(name: str, dependencies: str, more: str = "") -> str:
    return (
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion><groupId>here</groupId>'
        f"<artifactId>{name}</artifactId><version>1</version>{more}<dependencies>{dependencies}</dependencies></project>"
    )


def main() -> int:
    if is_whole():
        print(f"OpenSearch {VERSION} is there: {HOME}")
        return 0
    for program in ("mvn", "javac"):
        if shutil.which(program) is None:
            print(f"there is no {program} here, so there is no OpenSearch to test against", file=sys.stderr)
            return 1
    assemble()
    print(f"OpenSearch {VERSION} with {', '.join(PLUGINS)}: {HOME}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
