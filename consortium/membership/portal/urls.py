"""Addresses of the membership's pages."""

from django.urls import path

from consortium.membership.portal import entrance, members, people, views

urlpatterns = [
    path("more/", views.more, name="more"),
    path("consortium/", views.choose_consortium, name="choose_consortium"),
    path("organization/", views.choose_organization, name="choose_organization"),
    path("members/", members.members, name="members"),
    path("members/apply/", members.apply, name="apply"),
    path("people/", people.people, name="people"),
    path("people/invite/", people.invite, name="invite"),
    path("people/invite-auditor/", people.invite_auditor, name="invite_auditor"),
    path("people/country/", people.country, name="country"),
    path("people/member-page/", people.member_page, name="member_page"),
    path("people/<uuid:person>/", people.person, name="person"),
    path("people/<uuid:person>/deactivate/", people.deactivate, name="deactivate_person"),
    path("people/<uuid:person>/reactivate/", people.reactivate, name="reactivate_person"),
    path("people/invitations/<uuid:invitation>/revoke/", people.revoke, name="revoke_invitation"),
    path("people/auditors/<uuid:appointment>/end/", people.end_appointment, name="end_appointment"),
    path("invitation/", entrance.accept, name="accept_invitation"),
    path("invitation/<str:token>/", entrance.open_link, name="open_invitation"),
]
