"""Addresses of the pages about consents and data sets."""

from django.urls import path

from consent.portal import data_sets, views

urlpatterns = [
    path("consents/", views.consents, name="consents"),
    path("consents/withdraw/", views.withdraw_consent, name="withdraw_consent"),
    path("consents/imports/<uuid:batch>/", views.import_page, name="import"),
    path("consents/withdrawals/<uuid:withdrawal>/", views.withdrawal_page, name="withdrawal"),
    path("data-sets/", data_sets.data_sets, name="data_sets"),
    path("data-sets/<uuid:data_set>/", data_sets.data_set, name="data_set"),
]
