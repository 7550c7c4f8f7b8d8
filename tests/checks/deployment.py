"""Fail if Django's deployment check finds anything wrong with the production settings."""

from tests.checks.settings_environment import set_environment

if __name__ == "__main__":
    set_environment("consortium.settings.production")
    import django
    from django.core.management import call_command

    django.setup()
    call_command("check", deploy=True, fail_level="WARNING")
