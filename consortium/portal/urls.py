"""Addresses of the pages that gather from all apps."""

from django.urls import path

from consortium.portal import gallery, member, overview

urlpatterns = [
    path("", overview.overview, name="overview"),
    path("members/<uuid:organization>/", member.member, name="member"),
    path("gallery/", gallery.gallery, name="gallery"),
]
