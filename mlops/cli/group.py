"""A command of commands."""

from __future__ import annotations

import click

from mlops.ir.choices import near

_WHOLE = 10_000


class Group(click.Group):
    """Its help tells the first sentence of each command whole, over as many lines as that takes; the arguments of its
    commands are completed, and a misspelt one is told with the one that was probably meant."""

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in self.list_commands(context):
            guess = near(args[0], self.list_commands(context))
            context.fail(f"There is no command {args[0]}.{f' Did you mean {guess}?' if guess is not None else ''}")
        name, command, rest = super().resolve_command(context, args)
        if command is not None and context.resilient_parsing:  # somebody presses Tab
            from mlops.cli.completing import teach

            teach(command, f"{context.info_name or ''} {name}")
        return name, command, rest

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        listed = [(name, self.get_command(context, name)) for name in self.list_commands(context)]
        rows = [(name, found.get_short_help_str(_WHOLE)) for name, found in listed if found is not None]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)
