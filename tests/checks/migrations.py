"""Fail if a model differs from its migrations."""

import warnings

from tests.checks.settings_environment import set_environment

if __name__ == "__main__":
    set_environment("consortium.settings.base")
    import django
    from django.core.management import call_command

    # There is no database here, and none is needed to compare models with migrations.
    warnings.filterwarnings("ignore", message="Got an error checking a consistent migration history")
    django.setup()
    call_command("makemigrations", check=True, dry_run=True)
