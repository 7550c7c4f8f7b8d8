from django.apps import AppConfig


class MembershipConfig(AppConfig):
    name = "consortium.membership"
    label = "membership"
