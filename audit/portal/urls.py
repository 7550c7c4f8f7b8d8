"""Addresses of the evidence's pages."""

from django.urls import include, path

from audit.portal import asking, files, views

urlpatterns = [
    path("", include("audit.portal.explorer.urls")),
    path("reports/", asking.reports, name="reports"),
    path("reports/<uuid:bundle>/", views.report, name="report"),
    path("reports/<uuid:bundle>/progress/", views.report_progress, name="report_progress"),
    path("reports/<uuid:bundle>/report.pdf", files.report_file, {"form": "pdf"}, name="report_pdf"),
    path("reports/<uuid:bundle>/report.json", files.report_file, {"form": "json"}, name="report_json"),
    path("reports/<uuid:bundle>/report.html", files.report_file, {"form": "html"}, name="report_html"),
    path("bundles/", views.bundles, name="bundles"),
    path("bundles/<uuid:bundle>/download/", files.bundle_file, name="bundle_file"),
    path("bundles/trust/<uuid:consortium>/", files.trust_file, name="trust_file"),
]
