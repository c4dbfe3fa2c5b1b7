"""``mlops show``."""

from __future__ import annotations

import click

from mlops.cli import options
from mlops.cli.printing import print_json


@click.command()
@click.argument("target", required=False)
@options.environment
@click.option("--svg", is_flag=True, help="As a picture.")
@click.option("--html", is_flag=True, help="As a page with the picture, steps, parameters and findings.")
@click.option("--mermaid", is_flag=True, help="As a Mermaid flowchart, for READMEs and wikis.")
@click.option("--dot", is_flag=True, help="In Graphviz's language.")
@click.option("--whole", is_flag=True, help="With --svg or --html: a box for each of more than a hundred steps.")
@click.option("-o", "--output", metavar="FILE", help="Where the picture goes. Default: standard output.")
@options.as_json
def command(
    target: str | None,
    environment: str,
    svg: bool,
    html: bool,
    mermaid: bool,
    dot: bool,
    whole: bool,
    output: str | None,
    format_: str,
) -> None:
    """Draw the steps of TARGET, and what each waits for: in the terminal, or as a picture.

    Without TARGET the pipelines of the project that mlops.toml names.
    """
    from mlops.cli.listening import hear
    from mlops.cli.writing import put
    from mlops.use_cases.show import as_dictionary, drawn, opened, outline

    forms = [name for name, chosen in (("svg", svg), ("html", html), ("mermaid", mermaid), ("dot", dot)) if chosen]
    if len(forms) + (format_ == "json") > 1:
        raise click.UsageError("give one of --svg, --html, --mermaid, --dot and --format json")
    if whole and forms not in (["svg"], ["html"]):
        raise click.UsageError("--whole is for a picture: give --svg or --html too")
    if target is None:
        from mlops.use_cases.targets import project_target

        target = project_target()
    if forms == ["html"]:
        from mlops.emit.sheets.html import emit
        from mlops.use_cases.report import of_pipeline

        page = of_pipeline(target, environment, hear, whole=whole)
        put(emit(page), output, page.title, force=False)
        return
    if forms:
        picture = drawn(target, environment, forms[0], hear, whole=whole)
        put(picture.text, output, picture.name, force=False)
        return
    if output is not None:
        raise click.UsageError("--output is for a picture: give --svg, --html, --mermaid or --dot too")
    pipelines = opened(target, environment, hear)
    if format_ == "json":
        print_json([as_dictionary(checked) for checked in pipelines])
        return
    for checked in pipelines:
        click.echo(outline(checked), nl=False)
