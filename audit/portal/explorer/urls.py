"""Addresses of the audit explorer, and of following and searching."""

from django.urls import path

from audit.portal.explorer import finding, views

urlpatterns = [
    path("audit/", views.audit, name="audit"),
    path("audit/records/<uuid:record>/", views.record, name="record"),
    path("audit/records/<uuid:record>/proof.json", views.record_proof, name="record_proof"),
    path("audit/acts/<str:correlation>/", views.correlation, name="correlation"),
    path("follow/<str:digest>/", finding.follow, name="follow"),
    path("search/", finding.search, name="search"),
]
